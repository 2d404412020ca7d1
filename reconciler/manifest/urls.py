"""Validates the URLs in a manifest, which must not contain credentials."""

import re
from pathlib import Path
from urllib.parse import unquote, urlsplit, urlunsplit

from reconciler.backticks import in_backticks, list_in_backticks
from reconciler.errors import CREDENTIALS_HINT, DIRECT_CREDENTIALS_HINT
from reconciler.manifest.invalid_text import InvalidTextError
from reconciler.redaction import redact_url

LOCAL_DIRECTORY_HINT = "use `project` for a local directory, or write `./PATH` in a requirements file"


def plain_url(url: str) -> str:
    """Return `url` without user name and password (`git@` in an ssh URL is not a secret and stays)."""
    parts = urlsplit(url)
    if "@" not in parts.netloc:
        return url
    user, _, host = parts.netloc.rpartition("@")
    keep = f"{user}@" if parts.scheme.endswith("ssh") and ":" not in user else ""
    return urlunsplit(parts._replace(netloc=keep + host))


def directory_of_url(url: str) -> Path | None:
    """Return the absolute path that a `file:` URL names; None if the URL has a different scheme."""
    parts = urlsplit(url)
    return Path(unquote(parts.path)) if parts.scheme == "file" else None


def path_of_direct_url(url: str) -> Path | None:
    """Return the absolute path of a file, directory or repository that a direct URL names; None if it is elsewhere."""
    parts = urlsplit(url)
    if parts.scheme == "git+file":
        path, revision, _ = parts.path.rpartition("@")
        return Path(unquote(path if revision else parts.path))
    return directory_of_url(url)


def canonical_url(url: str) -> str:
    """Return `url` in a form to compare: no credentials, host in lower case, no default port, no slash at the end.

    A URL that is not valid is only redacted.
    """
    try:
        parts = urlsplit(plain_url(url))
    except ValueError:
        return redact_url(url)
    host = parts.netloc.lower().removesuffix({"http": ":80", "https": ":443"}.get(parts.scheme, ":"))
    return urlunsplit(parts._replace(netloc=host)).rstrip("/")


def forbid_credentials(url: str, *, offset: int = 0, hint: str = DIRECT_CREDENTIALS_HINT) -> None:
    """Raise InvalidTextError if a URL contains a user name or password; a bare user name is allowed with ssh.

    The message does not quote the URL. `offset` is where the URL starts in the text that contains it.
    """
    if redact_url(url) != url:
        raise InvalidTextError("credentials in a URL", hint=hint, offset=offset, width=len(url))


def _hint_for_a_path(text: str) -> str:
    if text.startswith("/"):
        return f"write {in_backticks('file://' + text)}"
    return f"write {in_backticks('./' + text)} for a directory, or {in_backticks('https://' + text)} for a server"


def is_relative_directory(text: str) -> bool:
    """Return whether the `url` of an index is a directory that is relative to the manifest."""
    return text.startswith(("./", "../"))


def validate_index_url(text: str) -> str:
    """Return the URL of a package index (http, https or file) or a relative directory; raises InvalidTextError."""
    if is_relative_directory(text):
        return text
    forbid_credentials(text, hint=CREDENTIALS_HINT)
    if "${" in text:
        raise InvalidTextError(
            "environment variables are not expanded in URLs", hint="", offset=text.index("${"), width=2
        )
    try:
        parts = urlsplit(text)
        host = parts.hostname
    except ValueError as error:
        raise InvalidTextError(f"not a valid URL: {error}", hint="") from error
    try:
        _ = parts.port
    except ValueError as error:
        not_a_number = str(error).startswith("Port could not be cast")
        reason = "the port must be a number" if not_a_number else str(error)
        raise InvalidTextError(f"not a valid URL: {reason}", hint="") from error
    if parts.scheme not in {"http", "https", "file"}:
        message = "not a valid index URL: it must start with `https://`, `http://`, `file:///` or `./`"
        raise InvalidTextError(message, hint="" if parts.scheme or host else _hint_for_a_path(text))
    if parts.scheme == "file" and (host or not parts.path.startswith("/")):
        raise InvalidTextError("not an absolute file URL", hint="write `file:///PATH`")
    if parts.scheme != "file" and not host:
        raise InvalidTextError("not a valid URL: the host is missing", hint="")
    if parts.query or parts.fragment:
        raise InvalidTextError(
            "an index URL must not have a query or fragment", hint="remove everything after `?` or `#`"
        )
    if any(character.isspace() for character in text):
        raise InvalidTextError("not a valid URL: it contains white space", hint="")
    return text


FILE_HOST_PATTERN = r"^([A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?$"


def validate_file_host(text: str) -> str:
    """Return a host, or a host and port, in lower case; raises InvalidTextError."""
    if re.fullmatch(FILE_HOST_PATTERN, text) is None:
        host = re.sub(r"^[A-Za-z][A-Za-z0-9+.-]*://", "", text).rpartition("@")[2].partition("/")[0]
        hint = "list each host as `HOST` or `HOST:PORT`, for example `files.index.example`"
        if re.fullmatch(FILE_HOST_PATTERN, host):
            hint = f"write {in_backticks(host)}"
        raise InvalidTextError("not a host: it must have no scheme, path, wildcard or credentials", hint=hint)
    return text.lower()


_DIRECT_SCHEMES = ("https", "http", "file", "git+https", "git+http", "git+ssh", "git+file")


def validate_direct_url(url: str, *, offset: int) -> None:
    """Raise InvalidTextError unless a URL can follow `NAME @`: without credentials or variables, and absolute.

    `offset` is where the URL starts in the requirement.
    """
    forbid_credentials(url, offset=offset)
    if "${" in url:
        at = offset + url.index("${")
        raise InvalidTextError("environment variables are not expanded in URLs", hint="", offset=at, width=2)
    scheme, separator, rest = url.partition(":")
    scheme = scheme.lower()
    if not separator or not re.fullmatch(r"[a-z][a-z0-9+.-]*", scheme):
        raise InvalidTextError(
            "a direct reference must be a URL",
            hint=LOCAL_DIRECTORY_HINT,
            offset=offset,
            width=len(url),
        )
    if scheme not in _DIRECT_SCHEMES:
        raise InvalidTextError(
            f"unsupported URL scheme {in_backticks(scheme)}",
            hint=f"use one of {list_in_backticks(_DIRECT_SCHEMES)}",
            offset=offset,
            width=len(scheme),
        )
    if scheme in {"file", "git+file"} and not rest.startswith("///"):
        raise InvalidTextError("not an absolute file URL", hint="write `file:///PATH`", offset=offset, width=len(url))
    if not rest.startswith("//"):
        raise InvalidTextError(
            "not a valid URL: `//` is missing after the scheme", hint="", offset=offset, width=len(url)
        )
