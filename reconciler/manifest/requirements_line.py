"""One line of a requirements file in pip's format: a requirement, an include, or a refusal."""

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

from reconciler.manifest.refusal import RefusedError
from reconciler.manifest.requirement import normalized_requirement
from reconciler.manifest.urls import refuse_credentials


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """A requirement by name (PEP 508), written anew, and the hashes it allows (`sha256:<hex>`)."""

    text: str
    hashes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Local:
    """A local directory or archive, as a path from the manifest's directory."""

    path: str
    editable: bool
    extras: tuple[str, ...] = ()
    marker: str = ""
    hashes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Include:
    """Another file, relative to the one that names it; as constraints with `-c`."""

    path: str
    constraints: bool


Line: TypeAlias = Named | Local | Include

_OPTION = re.compile(r"(--[A-Za-z][\w-]*|-[A-Za-z])(?:\s*=\s*|\s+)?(.*)")
_TRAILING_OPTIONS = re.compile(r"\s(--?[A-Za-z].*)$")
_HASH = re.compile(r"sha256:[0-9a-f]{64}", re.IGNORECASE)
_VARIABLE = re.compile(r"\$\{[A-Za-z0-9_]+\}")
_ARCHIVE = re.compile(r"\.(?:whl|zip|tar\.gz|tgz|tar\.bz2|tar\.xz)$", re.IGNORECASE)
_LOCAL = re.compile(r"(?P<path>[^;\[]+?)\s*(?:\[(?P<extras>[^\]]*)\])?\s*(?:;\s*(?P<marker>.*))?")
_HINTS = {
    **dict.fromkeys(
        ("-i", "--index-url", "--extra-index-url", "--trusted-host"), "declare it in the manifest, under `indexes`"
    ),
    **dict.fromkeys(
        ("-f", "--find-links", "--no-index"), "name the files as ./PATH, or declare an index in the manifest"
    ),
    **dict.fromkeys(
        ("--no-binary", "--only-binary", "--prefer-binary"), "say in the manifest what may be built: `builds`"
    ),
    "--pre": "write `prerelease: allow` into the manifest",
    "--require-hashes": "remove it: every lock has hashes",
}


def parse_line(text: str) -> Line:
    """Return what a line without its comment says; raises RefusedError with the offset in it.

    Of pip's options it knows `-r`, `-c`, `-e` and `--hash`: all others are refused.
    """
    if variable := _VARIABLE.search(text):
        hint = "write it out; credentials belong into UV_INDEX_<NAME>_USERNAME and UV_INDEX_<NAME>_PASSWORD"
        at, width = variable.start(), len(variable.group())
        raise RefusedError("environment variables are not expanded", hint=hint, offset=at, width=width)
    if text.startswith("-"):
        return _option_line(text)
    requirement = text
    hashes: tuple[str, ...] = ()
    if options := _TRAILING_OPTIONS.search(text):
        requirement, hashes = text[: options.start()].rstrip(), _hashes(options.group(1), options.start(1))
    if re.match(r"[A-Za-z][A-Za-z0-9+.-]*:(?=/|\.)", requirement):
        return _url_line(requirement, hashes)
    if _is_local(requirement):
        return _local(requirement, 0, editable=False, hashes=hashes)
    return Named(text=normalized_requirement(requirement), hashes=hashes)


def _option_line(text: str) -> Line:
    match = _OPTION.match(text)
    if match is None:
        raise RefusedError("neither a requirement nor an option", offset=0)
    option, value = match.group(1), _unquoted(match.group(2).strip())
    if option in {"-r", "--requirement", "-c", "--constraint"}:
        if not value:
            raise RefusedError(f"{option} names no file", offset=0, width=len(option))
        if "://" in value:
            hint = "download it, and keep it beside the manifest"
            refuse_credentials(value, offset=match.start(2))
            raise RefusedError("a URL, not a file", hint=hint, offset=match.start(2), width=len(value))
        return Include(path=value, constraints=option in {"-c", "--constraint"})
    if option in {"-e", "--editable"}:
        if "://" in value:
            refuse_credentials(value, offset=match.start(2))
            hint = "write `NAME @ git+https://...`: it is then installed, not editable"
            raise RefusedError(
                "only a local directory can be editable", hint=hint, offset=match.start(2), width=len(value)
            )
        if not value:
            raise RefusedError(f"{option} names no directory", offset=0, width=len(option))
        return _local(value, match.start(2), editable=True, hashes=())
    hint = _HINTS.get(option, "remove it; of pip's options -r, -c, -e and --hash are known")
    raise RefusedError(f"unsupported option {option}", hint=hint, offset=0, width=len(option))


def _hashes(text: str, offset: int) -> tuple[str, ...]:
    """Return the hashes of `--hash=sha256:...` options."""
    found: list[str] = []
    for match in re.finditer(r"(\S+?)(?:=|\s+(?=[^-\s])|(?=\s|$))(\S*)", text):
        option, value = match.group(1), match.group(2)
        at = offset + match.start()
        if option != "--hash":
            hint = _HINTS.get(option, "remove it; of pip's options -r, -c, -e and --hash are known")
            raise RefusedError(f"unsupported option {option}", hint=hint, offset=at, width=len(option))
        if not _HASH.fullmatch(value):
            hint = "write --hash=sha256: and 64 hexadecimal digits"
            raise RefusedError("not a SHA-256 hash", hint=hint, offset=at, width=len(match.group().rstrip()))
        found.append(value.lower())
    return tuple(dict.fromkeys(found))


def _is_local(text: str) -> bool:
    path = _LOCAL.fullmatch(text)
    if path is None or "@" in path["path"]:
        return False
    return path["path"].startswith(".") or "/" in path["path"] or bool(_ARCHIVE.search(path["path"]))


def _local(text: str, offset: int, *, editable: bool, hashes: tuple[str, ...]) -> Local:
    match = _LOCAL.fullmatch(text)
    if match is None:
        raise RefusedError("not a path", offset=offset, width=len(text))
    marker = ""
    if match["marker"]:
        try:
            marker = str(Marker(match["marker"]))
        except InvalidMarker as error:
            at = offset + match.start("marker")
            raise RefusedError("not a valid environment marker", offset=at, width=len(match["marker"])) from error
    try:
        extras = tuple(
            sorted(
                canonicalize_name(extra.strip(), validate=True)
                for extra in (match["extras"] or "").split(",")
                if extra.strip()
            )
        )
    except InvalidName as error:
        raise RefusedError(
            "not a valid extra", offset=offset + match.start("extras"), width=len(match["extras"])
        ) from error
    return Local(path=_unquoted(match["path"]), editable=editable, extras=extras, marker=marker, hashes=hashes)


def _url_line(text: str, hashes: tuple[str, ...]) -> Line:
    """Return a requirement that is a URL alone as one by name: a wheel's name, an archive's, or `#egg=`."""
    url, _, marker = text.partition(" ;")
    refuse_credentials(url)
    bare, fragment = urldefrag(url)
    parts = urlsplit(bare)
    if parts.scheme == "file":
        if parts.netloc or not parts.path.startswith("/"):
            raise RefusedError("not an absolute file URL", hint="write ./PATH", offset=0, width=len(url))
        local = unquote(parts.path) + (f" ; {marker}" if marker else "")
        return _local(local, 0, editable=False, hashes=hashes)
    name = _name_in(PurePosixPath(unquote(parts.path)).name, fragment)
    if not name:
        raise RefusedError("a URL that names no package", hint=f"write `NAME @ {url}`", offset=0, width=len(url))
    kept = "&".join(each for each in fragment.split("&") if each and not each.startswith("egg="))
    suffix = (f"#{kept}" if kept else "") + (f" ; {marker}" if marker else "")
    return Named(text=normalized_requirement(f"{name} @ {bare}{suffix}"), hashes=hashes)


def _name_in(file_name: str, fragment: str) -> str:
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
    """Return a path without the quotes or backslashes that pip lets it have for its spaces."""
    if len(text) > 1 and text[0] == text[-1] and text[0] in "\"'":
        return text[1:-1]
    return text.replace("\\ ", " ")


def relative_to(path: str, directory: Path) -> str:
    """Return a path as `./PATH` or `../PATH` from `directory` (POSIX); it means the same on every machine."""
    relative = Path(os.path.relpath(directory / path, directory)).as_posix()
    return relative if relative.startswith("..") or relative == "." else f"./{relative}"
