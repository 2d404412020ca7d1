"""Parses direct_url.json (PEP 610) by pip's rules, so that it is invalid here if it is invalid for pip."""

import json
from typing import Any
from urllib.parse import unquote, urlsplit

from reconciler.observe.actual import InstalledFrom, OriginKind
from reconciler.redaction import redact_url

_TYPES: dict[type, str] = {str: "a string", bool: "true or false", dict: "an object"}


def parse_direct_url(content: bytes) -> tuple[InstalledFrom, str]:
    """Return the origin, and for an editable install the absolute path of its project (else empty).

    Credentials in the URL are redacted. Raises ValueError with the reason if `content` is not a valid direct_url.json.
    """
    try:
        document = json.loads(content.decode("utf-8"))
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    if not isinstance(document, dict):
        raise ValueError("it must be an object")  # noqa: TRY004  # one error type for an invalid file
    url = _required(document, "url")
    infos = {key: _typed(document, dict, key) for key in ("vcs_info", "archive_info", "dir_info")}
    given = {key: info for key, info in infos.items() if info is not None}
    subdirectory = _typed(document, str, "subdirectory") or ""
    if len(given) != 1:
        raise ValueError("it must have exactly one of vcs_info, archive_info and dir_info")
    ((key, info),) = given.items()
    match key:
        case "vcs_info":
            _typed(info, str, "requested_revision")
            origin = InstalledFrom(
                kind=OriginKind.VCS,
                url=redact_url(url),
                vcs=_required(info, "vcs"),
                commit=_required(info, "commit_id"),
                subdirectory=subdirectory,
            )
        case "archive_info":
            origin = InstalledFrom(
                kind=OriginKind.ARCHIVE, url=redact_url(url), hash=_hash(info), subdirectory=subdirectory
            )
        case _:
            path = _directory(url)
            if _typed(info, bool, "editable"):
                if urlsplit(url).netloc not in {"", "localhost"}:
                    raise ValueError("the URL of an editable install names a different machine")
                return InstalledFrom(kind=OriginKind.EDITABLE, url=redact_url(url), subdirectory=subdirectory), path
            origin = InstalledFrom(kind=OriginKind.DIRECTORY, url=redact_url(url), subdirectory=subdirectory)
    return origin, ""


def _typed(document: dict[str, Any], kind: type, key: str) -> Any:
    value = document.get(key)
    if value is not None and not isinstance(value, kind):
        raise ValueError(f"{key} must be {_TYPES[kind]}")
    return value


def _required(document: dict[str, Any], key: str) -> str:
    value = _typed(document, str, key)
    if value is None:
        raise ValueError(f"{key} is missing")
    return str(value)


def _hash(info: dict[str, Any]) -> str:
    """Return the first hash (`sha256=...`); if both `hash` (legacy) and `hashes` exist, they must agree."""
    hashes = _typed(info, dict, "hashes")
    if hashes is not None and not all(isinstance(each, str) for each in hashes.values()):
        raise ValueError("each hash must be a string")
    legacy = _typed(info, str, "hash")
    if legacy is not None:
        algorithm, equals, value = legacy.partition("=")
        if not equals or (hashes is not None and hashes.get(algorithm) != value):
            raise ValueError("hash does not match hashes")
        hashes = hashes or {algorithm: value}
    return next((f"{algorithm}={value}" for algorithm, value in (hashes or {}).items()), "")


def _directory(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme != "file" or not parts.path.startswith("/"):
        raise ValueError("the URL of a directory must be an absolute file URL")
    path = unquote(parts.path)
    if "\0" in path:
        raise ValueError("the URL of a directory contains a null character")
    return path
