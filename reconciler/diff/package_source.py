"""Compares the recorded origin of an installed distribution (PEP 610) with the source in a lock."""

from urllib.parse import unquote, urlsplit, urlunsplit

from reconciler.lock.model import ArchiveFile, IndexFile, Source, SourceDirectory, VcsCommit
from reconciler.observe.actual import InstalledFrom, OriginKind
from reconciler.redaction import redact_url


def has_source(origin: InstalledFrom, source: Source, place: str) -> bool:
    """Return whether a distribution that envsync did not install is known to have the contents in the lock.

    URL, directory, commit and hash count. `place` is the absolute path of a local directory or archive (empty: it
    cannot be compared, because the environment is on another machine). The contents of a directory may have changed
    since it was installed, so they are only known for an editable install.
    """
    match source:
        case IndexFile():
            return origin.kind is OriginKind.INDEX
        case ArchiveFile(location=location, sha256=sha256, subdirectory=subdirectory):
            if origin.kind is not OriginKind.ARCHIVE or origin.subdirectory != subdirectory:
                return False
            if origin.hash.startswith("sha256="):
                return origin.hash == f"sha256={sha256}"
            return _is_at(origin.url, place) if place else "://" not in location or _same_url(origin.url, location)
        case VcsCommit(url=url, commit=commit, subdirectory=subdirectory):
            same = origin.kind is OriginKind.VCS and origin.subdirectory == subdirectory
            return same and origin.commit in {"", commit} and _same_url(origin.url, url)
        case SourceDirectory(editable=True):
            return origin.kind is OriginKind.EDITABLE and (not place or _is_at(origin.url, place))
        case SourceDirectory():
            return origin.kind is OriginKind.DIRECTORY and not place


def _is_at(url: str, place: str) -> bool:
    parts = urlsplit(url)
    return parts.scheme == "file" and unquote(parts.path).rstrip("/") == place.rstrip("/")


def _same_url(one: str, other: str) -> bool:
    return _canonical(one) == _canonical(other)


def _canonical(url: str) -> str:
    """Return a URL in a form to compare: without credentials, `git+`, `.git`, the hash and a slash at the end."""
    parts = urlsplit(redact_url(url).removeprefix("git+"))
    host = parts.netloc.rpartition("@")[2].lower()
    path = parts.path.rstrip("/").removesuffix(".git")
    return urlunsplit((parts.scheme.lower(), host, path, parts.query, ""))
