"""How the source of a package changed: its hosts, and what changed although its version did not.

A reviewer should look at the latter: the same version from a different host, or with a different hash or publisher, is
what a manipulated lock looks like.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import urlsplit

from reconciler.backticks import list_in_backticks
from reconciler.lock.model import ArchiveFile, IndexFile, Source, SourceDirectory, UniversalSource, VcsCommit

LOCAL = "file:"  # in place of a host


class SourceFlag(StrEnum):
    """What changed although the version did not."""

    HOST = "host"
    HASH = "hash"  # of a file with the same name
    PUBLISHER = "publisher"  # the identity in its attestations (PEP 740)


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceChange:
    """A changed source: the hosts before and after (`https://HOST`, or `file:`), and what to review."""

    before: tuple[str, ...]
    after: tuple[str, ...]
    review: tuple[SourceFlag, ...] = ()


def source_change(before: Source | None, after: Source | None, *, same_version: bool) -> SourceChange | None:
    """Return how the source changed; None if host, hash and publisher did not, or if there is none on one side.

    `same_version` is whether the version is the same on both sides. A directory has no host.
    """
    if before is None or after is None or isinstance(before, SourceDirectory) or isinstance(after, SourceDirectory):
        return None
    old, new = _hosts(before), _hosts(after)
    review = []
    if old != new:
        review.append(SourceFlag.HOST)
    if any(_hashes(after).get(name, sha256) != sha256 for name, sha256 in _hashes(before).items()):
        review.append(SourceFlag.HASH)
    if _publishers(before) != _publishers(after):
        review.append(SourceFlag.PUBLISHER)
    if not review or (old == new and not same_version):
        return None
    return SourceChange(before=old, after=new, review=tuple(review) if same_version else ())


def hosts_sentence(change: SourceChange | None) -> str:
    """Return ` from HOST to HOST` if the host changed, else an empty string."""
    if change is None or change.before == change.after:
        return ""
    before, after = (list_in_backticks(each, most=3) or "nowhere" for each in (change.before, change.after))
    return f" from {before} to {after}"


def in_words(flags: Iterable[SourceFlag]) -> str:
    """Return flags as text: `host and hash`."""
    return " and ".join(flags)


def _hosts(source: Source) -> tuple[str, ...]:
    match source:
        case UniversalSource(hosts=hosts):
            return hosts
        case IndexFile(index=url) | ArchiveFile(location=url) | VcsCommit(url=url):
            return (host_of(url),)
        case SourceDirectory():
            return ()


def host_of(url: str) -> str:
    """Return scheme and host of a URL, without credentials; `file:` for a path."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return LOCAL
    host = parts.netloc.rpartition("@")[2].lower()
    return f"{parts.scheme}://{host}" if host else LOCAL


def _hashes(source: Source) -> dict[str, str]:
    match source:
        case UniversalSource(files=files):
            return dict(files)
        case IndexFile(filename=name, sha256=sha256):
            return {name: sha256}
        case ArchiveFile(location=location, sha256=sha256):
            return {location: sha256}
        case _:
            return {}


def _publishers(source: Source) -> tuple[str, ...]:
    return source.publishers if isinstance(source, UniversalSource) else ()
