"""Parses one logical line of a requirements file in pip's format: a requirement, a local path, or an include."""

import os
import re
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TypeAlias
from urllib.parse import unquote, urldefrag, urlsplit

from packaging.markers import InvalidMarker, Marker
from packaging.utils import (
    InvalidName,
    InvalidSdistFilename,
    InvalidWheelFilename,
    canonicalize_name,
    parse_sdist_filename,
    parse_wheel_filename,
)

from reconciler.backticks import in_backticks
from reconciler.errors import CREDENTIALS_HINT, DIRECT_CREDENTIALS_HINT
from reconciler.manifest.invalid_text import InvalidTextError
from reconciler.manifest.paths import DOWNLOAD_HINT
from reconciler.manifest.requirement import normalize_requirement
from reconciler.manifest.urls import forbid_credentials


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedRequirement:
    """A requirement by name (PEP 508), normalized, and the hashes that it allows (`sha256:<hex>`)."""

    text: str
    hashes: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalRequirement:
    """A local directory or archive; `path` is relative to the manifest's directory."""

    path: str
    editable: bool
    extras: tuple[str, ...]
    marker: str
    hashes: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Include:
    """Another file, relative to the one that includes it; `constraints` is True for `-c`."""

    path: str
    constraints: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexOption:
    """An option about indexes, as written: `value` is a URL or a path, and empty for `--no-index`."""

    option: str
    value: str


Line: TypeAlias = NamedRequirement | LocalRequirement | Include | IndexOption

_OPTION = re.compile(r"(--[A-Za-z][\w-]*|-[A-Za-z])(?:\s*=\s*|\s+)?(.*)")
_TRAILING_OPTIONS = re.compile(r"\s(--?[A-Za-z].*)$")
_HASH = re.compile(r"sha256:[0-9a-f]{64}", re.IGNORECASE)
_VARIABLE = re.compile(r"\$\{[A-Za-z0-9_]+\}")
_ARCHIVE = re.compile(r"\.(?:whl|zip|tar\.gz|tgz|tar\.bz2|tar\.xz)$", re.IGNORECASE)
_LOCAL = re.compile(r"(?P<path>[^;\[]*[^;\[\s])\s*(?:\[(?P<extras>[^\]]*)\]\s*)?(?:;\s*(?P<marker>.*))?")
_INDEX_OPTIONS = frozenset({"-i", "--index-url", "--extra-index-url", "-f", "--find-links", "--no-index"})
_HINTS = {
    "--trusted-host": "remove it; `SSL_CERT_FILE` names the certificates to trust",
    **dict.fromkeys(("--no-binary", "--only-binary", "--prefer-binary"), "set `builds` in the manifest"),
    "--pre": "set `prerelease: allow` in the manifest",
    "--require-hashes": "remove it: locks always contain hashes",
}


def parse_requirements_line(text: str) -> Line:
    """Return one parsed line, which must not contain a comment; raises InvalidTextError with the offset in it.

    Of pip's options, only `-r`, `-c`, `-e`, `--hash` and those about indexes are supported.
    """
    if variable := _VARIABLE.search(text):
        hint = f"write the value out; {DIRECT_CREDENTIALS_HINT}"
        at, width = variable.start(), len(variable.group())
        raise InvalidTextError("environment variables are not expanded", hint=hint, offset=at, width=width)
    if text.startswith("-"):
        return _option_line(text)
    requirement = text
    hashes: tuple[str, ...] = ()
    if options := _TRAILING_OPTIONS.search(text):
        requirement, hashes = text[: options.start()].rstrip(), _hashes(options.group(1), options.start(1))
    if re.match(r"[A-Za-z][A-Za-z0-9+.-]*:(?=/|\.)", requirement):
        return _url_requirement(requirement, hashes)
    if _is_local(requirement):
        return _local_requirement(requirement, 0, editable=False, hashes=hashes)
    return NamedRequirement(text=normalize_requirement(requirement), hashes=hashes)


def _option_line(text: str) -> Line:
    match = _OPTION.match(text)
    if match is None:
        raise InvalidTextError("neither a requirement nor an option", hint="", offset=0)
    option, value = match.group(1), _unquoted(match.group(2).strip())
    if option in {"-r", "--requirement", "-c", "--constraint"}:
        if not value:
            raise InvalidTextError(f"`{option}` needs the path of a file", hint="", offset=0, width=len(option))
        if "://" in value:
            forbid_credentials(value, offset=match.start(2))
            raise InvalidTextError(
                "must be a file, not a URL", hint=DOWNLOAD_HINT, offset=match.start(2), width=len(value)
            )
        return Include(path=value, constraints=option in {"-c", "--constraint"})
    if option in {"-e", "--editable"}:
        if "://" in value:
            forbid_credentials(value, offset=match.start(2))
            hint = "write `NAME @ git+https://...`, which installs it in non-editable mode"
            raise InvalidTextError(
                "only a local directory can be editable", hint=hint, offset=match.start(2), width=len(value)
            )
        if not value:
            raise InvalidTextError(f"`{option}` needs the path of a directory", hint="", offset=0, width=len(option))
        return _local_requirement(value, match.start(2), editable=True, hashes=())
    if option in _INDEX_OPTIONS:
        if not value and option != "--no-index":
            raise InvalidTextError(f"`{option}` needs a value", hint="", offset=0, width=len(option))
        forbid_credentials(value, offset=match.start(2), hint=CREDENTIALS_HINT)
        return IndexOption(option=option, value=value)
    raise _unsupported_option(option, 0)


def _unsupported_option(option: str, offset: int) -> InvalidTextError:
    hint = _HINTS.get(
        option,
        "remove it; the supported options are `-r`, `-c`, `-e`, those of indexes, and `--hash` after a requirement",
    )
    return InvalidTextError(f"unsupported option {in_backticks(option)}", hint=hint, offset=offset, width=len(option))


def _hashes(text: str, offset: int) -> tuple[str, ...]:
    """Return the hashes of `--hash=sha256:...` options."""
    found: list[str] = []
    for match in re.finditer(r"(\S+?)(?:=|\s+(?=[^-\s])|(?=\s|$))(\S*)", text):
        option, value = match.group(1), match.group(2)
        at = offset + match.start()
        if option != "--hash":
            raise _unsupported_option(option, at)
        if not _HASH.fullmatch(value):
            hint = "write `--hash=sha256:` followed by 64 hexadecimal digits"
            raise InvalidTextError("not a SHA-256 hash", hint=hint, offset=at, width=len(match.group().rstrip()))
        found.append(value.lower())
    return tuple(dict.fromkeys(found))


def _is_local(text: str) -> bool:
    path = _LOCAL.fullmatch(text)
    if path is None or "@" in path["path"]:
        return False
    return path["path"].startswith(".") or "/" in path["path"] or bool(_ARCHIVE.search(path["path"]))


def _local_requirement(text: str, offset: int, *, editable: bool, hashes: tuple[str, ...]) -> LocalRequirement:
    match = _LOCAL.fullmatch(text)
    if match is None:
        raise InvalidTextError("not a valid path", hint="", offset=offset, width=len(text))
    marker = ""
    if match["marker"]:
        try:
            marker = str(Marker(match["marker"]))
        except InvalidMarker as error:
            at = offset + match.start("marker")
            raise InvalidTextError(
                "not a valid environment marker", hint="", offset=at, width=len(match["marker"])
            ) from error
    try:
        extras = tuple(
            sorted(
                canonicalize_name(extra.strip(), validate=True)
                for extra in (match["extras"] or "").split(",")
                if extra.strip()
            )
        )
    except InvalidName as error:
        raise InvalidTextError(
            "not a valid extra", hint="", offset=offset + match.start("extras"), width=len(match["extras"])
        ) from error
    return LocalRequirement(
        path=_unquoted(match["path"]), editable=editable, extras=extras, marker=marker, hashes=hashes
    )


def _url_requirement(text: str, hashes: tuple[str, ...]) -> Line:
    """Return a requirement that is only a URL as one by name, taken from the file name or `#egg=`."""
    url, _, marker = text.partition(" ;")
    forbid_credentials(url)
    bare, fragment = urldefrag(url)
    parts = urlsplit(bare)
    if parts.scheme == "file":
        if parts.netloc or not parts.path.startswith("/"):
            raise InvalidTextError("not an absolute file URL", hint="write `./PATH`", offset=0, width=len(url))
        return _local_requirement(f"{unquote(parts.path)} ; {marker}", 0, editable=False, hashes=hashes)
    name = _package_name(PurePosixPath(unquote(parts.path)).name, fragment)
    if not name:
        raise InvalidTextError(
            "the URL does not contain a package name", hint=f"write `NAME @ {url}`", offset=0, width=len(url)
        )
    kept = "&".join(each for each in fragment.split("&") if each and not each.startswith("egg="))
    suffix = (f"#{kept}" if kept else "") + (f" ; {marker}" if marker else "")
    return NamedRequirement(text=normalize_requirement(f"{name} @ {bare}{suffix}"), hashes=hashes)


def _package_name(file_name: str, fragment: str) -> str:
    for part in fragment.split("&"):
        if part.startswith("egg="):
            return part.removeprefix("egg=")
    try:
        if file_name.endswith(".whl"):
            return parse_wheel_filename(file_name)[0]
        return parse_sdist_filename(file_name)[0]
    except (InvalidWheelFilename, InvalidSdistFilename):
        return ""


def _unquoted(text: str) -> str:
    """Return a path without the quotes or backslashes that pip allows around its spaces."""
    if len(text) > 1 and text[0] == text[-1] and text[0] in "\"'":
        return text[1:-1]
    return text.replace("\\ ", " ")


def relative_to(path: str, directory: Path) -> str:
    """Return a path as `./PATH` or `../PATH` from `directory` (POSIX), the same on every machine."""
    relative = Path(os.path.relpath(directory / path, directory)).as_posix()
    return relative if relative.partition("/")[0] in {".", ".."} else f"./{relative}"
