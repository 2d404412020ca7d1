"""Whether what is installed came from the source in the lock: only then a plan with `--adopt` may leave it out."""

import pytest

from reconciler.diff.package_source import has_source
from reconciler.lock.model import ArchiveFile, IndexFile, Source, SourceDirectory, VcsCommit
from reconciler.observe.actual import InstalledFrom, OriginKind

SHA = "0" * 64
WHEEL = "https://index.example/a-1.0-py3-none-any.whl"
GIT = "https://git.index.example/team/a.git"
INDEX = IndexFile(index="https://index.example", filename="a-1.0-py3-none-any.whl", sha256=SHA)
URL = ArchiveFile(location=WHEEL, sha256=SHA, subdirectory="")
LOCAL = ArchiveFile(location="../w/a-1.0-py3-none-any.whl", sha256=SHA, subdirectory="")
COMMIT = VcsCommit(vcs="git", url=GIT, commit="1" * 40, subdirectory="")
EDITABLE = SourceDirectory(path="../a", editable=True, content="x")
BUILT = SourceDirectory(path="../a", editable=False, content="x")


def archive(url: str, hashed: str = "", subdirectory: str = "") -> InstalledFrom:
    return InstalledFrom(kind=OriginKind.ARCHIVE, url=url, hash=hashed, subdirectory=subdirectory)


def commit(url: str, commit_id: str = "1" * 40, subdirectory: str = "") -> InstalledFrom:
    return InstalledFrom(kind=OriginKind.VCS, vcs="git", url=url, commit=commit_id, subdirectory=subdirectory)


def directory(url: str, *, editable: bool) -> InstalledFrom:
    return InstalledFrom(kind=OriginKind.EDITABLE if editable else OriginKind.DIRECTORY, url=url)


@pytest.mark.parametrize(
    ("origin", "source", "place", "same"),
    [
        (InstalledFrom(), INDEX, "", True),
        (archive(WHEEL, f"sha256={SHA}"), INDEX, "", False),
        (archive(WHEEL, f"sha256={SHA}"), URL, "", True),
        (archive("https://mirror.example/a.whl", f"sha256={SHA}"), URL, "", True),
        (archive(WHEEL, "sha256=" + "2" * 64), URL, "", False),
        (archive(WHEEL), URL, "", True),
        (archive("https://mirror.example/a-1.0-py3-none-any.whl"), URL, "", False),
        (archive(WHEEL, "md5=0"), URL, "", True),
        (archive(WHEEL, f"sha256={SHA}", subdirectory="sub"), URL, "", False),
        (archive("file:///srv/w/a-1.0-py3-none-any.whl"), LOCAL, "/srv/w/a-1.0-py3-none-any.whl", True),
        (archive("file:///home/a-1.0-py3-none-any.whl"), LOCAL, "/srv/w/a-1.0-py3-none-any.whl", False),
        (archive("file:///home/a-1.0-py3-none-any.whl"), LOCAL, "", True),
        (InstalledFrom(), URL, "", False),
        (commit(GIT), COMMIT, "", True),
        (commit("https://user:****@git.index.example/team/a"), COMMIT, "", True),
        (commit(GIT, "2" * 40), COMMIT, "", False),
        (commit("https://git.index.example/fork/a.git"), COMMIT, "", False),
        (commit(GIT, subdirectory="sub"), COMMIT, "", False),
        (directory("file:///src/a%20b", editable=True), EDITABLE, "/src/a b", True),
        (directory("file:///src/a", editable=True), EDITABLE, "/src/b", False),
        (directory("file:///src/a", editable=True), EDITABLE, "", True),
        (directory("file:///src/a", editable=False), EDITABLE, "/src/a", False),
        (directory("file:///src/a", editable=False), BUILT, "/src/a", False),
        (directory("file:///src/a", editable=False), BUILT, "", True),
    ],
)
def test_url_directory_commit_and_hash_are_compared(
    origin: InstalledFrom, source: Source, place: str, same: bool
) -> None:
    assert has_source(origin, source, place) is same
