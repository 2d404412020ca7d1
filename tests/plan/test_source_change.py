"""What changed about the source of a package although its version did not."""

from dataclasses import replace

import pytest

from reconciler.diff.source_change import SourceChange, SourceFlag, host_of, hosts_sentence, source_change
from reconciler.lock.model import ArchiveFile, IndexFile, Source, SourceDirectory, UniversalSource, VcsCommit

WHEEL = IndexFile(index="https://one.example/simple", filename="a-1-py3-none-any.whl", sha256="1")
ARCHIVE = ArchiveFile(location="https://files.example/a.zip", sha256="1", subdirectory="")
COMMIT = VcsCommit(vcs="git", url="https://u:p@git.example/a", commit="c", subdirectory="")
ALL = UniversalSource(
    location="",
    subdirectory="",
    sha256="x",
    hosts=("https://one.example",),
    files=(("a.whl", "sha256=1"),),
    publishers=(),
)
LOCAL = SourceDirectory(path="a", editable=False, content="sha256:1")


@pytest.mark.parametrize(
    ("before", "after", "review"),
    [
        (WHEEL, replace(WHEEL, index="https://two.example/simple"), ["host"]),
        (WHEEL, replace(WHEEL, index="http://one.example/simple"), ["host"]),
        (WHEEL, replace(WHEEL, index="https://one.example:8443/simple"), ["host"]),
        (WHEEL, replace(WHEEL, index=""), ["host"]),
        (WHEEL, replace(WHEEL, sha256="2"), ["hash"]),
        (WHEEL, COMMIT, ["host"]),
        (ARCHIVE, replace(ARCHIVE, sha256="2"), ["hash"]),
        (COMMIT, replace(COMMIT, url="https://git.evil.example/a"), ["host"]),
        (ALL, replace(ALL, hosts=("https://one.example", "https://two.example")), ["host"]),
        (ALL, replace(ALL, files=(("a.whl", "sha256=2"),)), ["hash"]),
        (ALL, replace(ALL, publishers=("x",)), ["publisher"]),
        (ALL, replace(ALL, hosts=(), files=(("a.whl", ""),), publishers=("x",)), ["host", "hash", "publisher"]),
    ],
)
def test_it_is_to_be_reviewed_unless_the_version_changed(before: Source, after: Source, review: list[str]) -> None:
    found = source_change(before, after, same_version=True)
    assert found is not None
    assert [each.value for each in found.review] == review
    other = source_change(before, after, same_version=False)
    assert other is None or other.review == ()
    assert (other is not None) == ("host" in review), "the hosts are shown anyway"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (WHEEL, WHEEL),
        (WHEEL, replace(WHEEL, filename="a-1-cp312-cp312-linux_x86_64.whl", sha256="2")),  # for another interpreter
        (COMMIT, replace(COMMIT, commit="d", url="https://git.example/other")),
        (ALL, replace(ALL, files=(*ALL.files, ("b.whl", "sha256=2")))),
        (LOCAL, replace(LOCAL, content="sha256:2")),
        (LOCAL, WHEEL),
        (None, WHEEL),
        (WHEEL, None),
    ],
)
def test_other_changes_are_usual(before: Source | None, after: Source | None) -> None:
    assert source_change(before, after, same_version=True) is None


def test_hosts_are_shown_without_credentials() -> None:
    assert host_of("https://me:hunter2@One.example:8443/simple") == "https://one.example:8443"
    assert host_of("../wheels/a.whl") == host_of("file:///srv/a.whl") == host_of("http://[") == "file:"
    change = SourceChange(before=("https://a.example",), after=("https://b.example",), review=(SourceFlag.HOST,))
    assert hosts_sentence(change) == " from `https://a.example` to `https://b.example`"
    assert hosts_sentence(replace(change, after=change.before)) == hosts_sentence(None) == ""
