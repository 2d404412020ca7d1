"""Parses direct_url.json (PEP 610) by the rules that pip applies, so that what pip refuses is refused here."""

import json
from typing import Any
from urllib.parse import unquote, urlsplit

from reconciler.observe.actual import InstalledFrom, OriginKind
from reconciler.observe.redact import redacted


def parse_direct_url(content: bytes) -> tuple[InstalledFrom, str]:
    """Return the origin, and for an editable the absolute path of its project (else empty).

    Secrets are blotted out of the URL. Raises ValueError for what is no direct_url.json, saying why.
    """
    try:
        document = json.loads(content.decode("utf-8"))
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    if not isinstance(document, dict):
        raise ValueError("no object")  # noqa: TRY004  # one error for whatever is wrong with the text
    url = _required(document, "url")
    infos = {key: _typed(document, dict, key) for key in ("vcs_info", "archive_info", "dir_info")}
    given = {key: info for key, info in infos.items() if info is not None}
    subdirectory = _typed(document, str, "subdirectory") or ""
    if len(given) != 1:
        raise ValueError("not exactly one of vcs_info, archive_info, dir_info")
    ((key, info),) = given.items()
    match key:
        case "vcs_info":
            _typed(info, str, "requested_revision")
            origin = InstalledFrom(
                kind=OriginKind.VCS,
                url=redacted(url),
                vcs=_required(info, "vcs"),
                commit=_required(info, "commit_id"),
                subdirectory=subdirectory,
            )
        case "archive_info":
            origin = InstalledFrom(
                kind=OriginKind.ARCHIVE, url=redacted(url), hash=_hash(info), subdirectory=subdirectory
            )
        case _:
            path = _directory(url)
            if _typed(info, bool, "editable"):
                if urlsplit(url).netloc not in {"", "localhost"}:
                    raise ValueError("the URL of an editable is of another machine")
                return InstalledFrom(kind=OriginKind.EDITABLE, url=redacted(url), subdirectory=subdirectory), path
            origin = InstalledFrom(kind=OriginKind.DIRECTORY, url=redacted(url), subdirectory=subdirectory)
    return origin, ""


def _typed(document: dict[str, Any], kind: type, key: str) -> Any:
    value = document.get(key)
    if value is not None and not isinstance(value, kind):
        raise ValueError(f"{key} is no {kind.__name__}")
    return value


def _required(document: dict[str, Any], key: str) -> str:
    value = _typed(document, str, key)
    if value is None:
        raise ValueError(f"{key} is missing")
    return str(value)


def _hash(info: dict[str, Any]) -> str:
    """Return the first hash, `sha256=…`; the legacy `hash` must be one of `hashes` where both are there."""
    hashes = _typed(info, dict, "hashes")
    if hashes is not None and not all(isinstance(each, str) for each in hashes.values()):
        raise ValueError("a hash is no str")
    legacy = _typed(info, str, "hash")
    if legacy is not None:
        algorithm, equals, value = legacy.partition("=")
        if not equals or (hashes is not None and hashes.get(algorithm) != value):
            raise ValueError("hash does not fit hashes")
        hashes = hashes or {algorithm: value}
    return next((f"{algorithm}={value}" for algorithm, value in (hashes or {}).items()), "")


def _directory(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme != "file" or not parts.path.startswith("/"):
        raise ValueError("the URL of a directory is no absolute file URL")
    path = unquote(parts.path)
    if "\0" in path:
        raise ValueError("the URL of a directory has a null character in it")
    return path
