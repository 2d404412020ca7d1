"""URLs in a manifest: no credentials in them, and none shown where somebody wrote them anyway."""

import re
from urllib.parse import urlsplit

from reconciler.manifest.refusal import RefusedError

CREDENTIALS_HINT = (
    "keep credentials out of files: set UV_INDEX_<NAME>_USERNAME and UV_INDEX_<NAME>_PASSWORD, or use netrc"
)

# Bounded repeats: a hostile string of a million letters must not take a minute. A quote may stand in a password.
_URL = re.compile(r"([A-Za-z][A-Za-z0-9+.-]{0,40}://)([^\s\"<>\\`]+)")
_SECRET_QUERY = re.compile(
    r"(?i)([?&#;][\w.-]{0,60}(?:token|passw|secret|signature|sig|key|auth)[\w.-]{0,60}=)[^&#\s\"']+"
)
_SECRET_SETTING = re.compile(r"(?i)([\w-]*(?:password|passwd|secret|token|api_?key)[\w-]*[\"']?\s*[:=]\s+)(?=\S)(.+)")
_SECRET_NAME = re.compile(r"(?i)passw|secret|token|credential|api_?key|private_?key|access_?key")
_BLOT = "****"


def named_like_a_secret(name: str) -> bool:
    """Say whether a variable's name (`API_TOKEN`) says that its value is nobody else's to see."""
    return _SECRET_NAME.search(name) is not None


def blot_out(text: str) -> str:
    """Return `text` with the credentials of every URL as `****`: user and password, and query values named so."""
    return _SECRET_QUERY.sub(rf"\1{_BLOT}", _URL.sub(_blot_userinfo, text))


def blot_out_line(line: str) -> str:
    """Return a source line likewise, and with the value of any setting that is named like a secret as `****`."""
    return _SECRET_SETTING.sub(rf"\1{_BLOT}", blot_out(line))


def _blot_userinfo(match: re.Match[str]) -> str:
    scheme, rest = match.group(1), match.group(2)
    authority = re.split(r"[/?#]", rest, maxsplit=1)[0]
    user, at, _ = authority.rpartition("@")
    if at and "ssh" in scheme and ":" not in user:
        return match.group(0)  # ssh://git@host: a user, no secret
    _, colon, port = authority.rpartition(":")
    # A password may hold / or @ unquoted: what looks like an odd port, with an @ later on, is one cut short.
    cut_short = "@" in rest and bool(colon) and not port.isdigit() and not authority.endswith("]")
    return f"{scheme}{_BLOT}@{rest.rpartition('@')[2]}" if at or cut_short else match.group(0)


def refuse_credentials(url: str, *, offset: int = 0) -> None:
    """Refuse a URL that holds a user or a password; a bare user is right with ssh. The refusal quotes nothing."""
    if blot_out(url) != url:
        raise RefusedError("credentials in a URL", hint=CREDENTIALS_HINT, offset=offset, width=len(url))


def check_index_url(text: str) -> str:
    """Return the URL of a package index (http, https or file), or refuse it."""
    refuse_credentials(text)
    if "${" in text:
        raise RefusedError("environment variables are not expanded in a URL", offset=text.index("${"), width=2)
    try:
        parts = urlsplit(text)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        raise RefusedError(f"not a URL: {error}") from error
    if parts.scheme not in {"http", "https", "file"}:
        raise RefusedError("not an index URL: it starts with https://, http:// or file:///", hint="")
    if parts.scheme == "file" and (host or not parts.path.startswith("/")):
        raise RefusedError("not an absolute file URL", hint="write file:///PATH")
    if parts.scheme != "file" and not host:
        raise RefusedError("not a URL: it names no host")
    if parts.query or parts.fragment:
        raise RefusedError("an index URL has no query and no fragment", hint=CREDENTIALS_HINT)
    if any(character.isspace() for character in text):
        raise RefusedError("not a URL: it holds white space")
    return text


_DIRECT_SCHEMES = ("https", "http", "file", "git+https", "git+http", "git+ssh", "git+file")


def check_direct_url(url: str, *, offset: int = 0) -> None:
    """Refuse what cannot stand after `name @`: credentials, variables, relative paths, other version control."""
    refuse_credentials(url, offset=offset)
    if "${" in url:
        at = offset + url.index("${")
        raise RefusedError("environment variables are not expanded in a URL", offset=at, width=2)
    scheme, separator, rest = url.partition(":")
    scheme = scheme.lower()
    if not separator or not re.fullmatch(r"[a-z][a-z0-9+.-]*", scheme):
        raise RefusedError(
            "a direct reference needs a URL",
            hint="a local directory belongs into `project`, or as `./PATH` into a requirements file",
            offset=offset,
            width=len(url),
        )
    if scheme not in _DIRECT_SCHEMES:
        known = ", ".join(_DIRECT_SCHEMES)
        raise RefusedError(
            f"unsupported URL scheme `{scheme}`", hint=f"one of {known}", offset=offset, width=len(scheme)
        )
    if scheme in {"file", "git+file"} and not rest.startswith("///"):
        raise RefusedError("not an absolute file URL", hint="write file:///PATH", offset=offset, width=len(url))
    if not rest.startswith("//"):
        raise RefusedError("not a URL: `//` is missing after the scheme", offset=offset, width=len(url))
