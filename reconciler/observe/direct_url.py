"""Reads direct_url.json (PEP 610) with `packaging`, whose rules are those of pip."""

import json
from urllib.parse import unquote, urlsplit

from packaging.direct_url import DirectUrl, DirectUrlValidationError

from reconciler.observe.actual import InstalledFrom, OriginKind
from reconciler.redaction import redact_url


def parse_direct_url(content: bytes) -> tuple[InstalledFrom, str]:
    """Return the origin, and for an editable install the absolute path of its project (else empty).

    Credentials in the URL are redacted. Raises ValueError with the reason if `content` is not a valid direct_url.json.
    """
    try:
        document = json.loads(content.decode("utf-8"))
        if not isinstance(document, dict):
            raise ValueError("it must be an object")  # noqa: TRY004  # one error type for an invalid file
        found = DirectUrl.from_dict(document)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    except DirectUrlValidationError as error:
        raise ValueError(str(error)) from error
    url, subdirectory = redact_url(found.url), found.subdirectory or ""
    if found.vcs_info is not None:
        vcs, commit = found.vcs_info.vcs, found.vcs_info.commit_id
        return InstalledFrom(kind=OriginKind.VCS, url=url, vcs=vcs, commit=commit, subdirectory=subdirectory), ""
    if found.archive_info is not None:
        hashes = found.archive_info.hashes or {}
        first = next((f"{algorithm}={value}" for algorithm, value in hashes.items()), "")
        return InstalledFrom(kind=OriginKind.ARCHIVE, url=url, hash=first, subdirectory=subdirectory), ""
    path = _directory(found.url)
    if found.dir_info is None or not found.dir_info.editable:
        return InstalledFrom(kind=OriginKind.DIRECTORY, url=url, subdirectory=subdirectory), ""
    if urlsplit(found.url).netloc not in {"", "localhost"}:
        raise ValueError("the URL of an editable install names a different machine")
    return InstalledFrom(kind=OriginKind.EDITABLE, url=url, subdirectory=subdirectory), path


def _directory(url: str) -> str:
    """Return the path of a file URL; raises ValueError if no path can contain it."""
    path = unquote(urlsplit(url).path)
    if "\0" in path:
        raise ValueError("the URL of a directory contains a null character")
    return path
