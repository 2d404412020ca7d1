"""Only the files that a requirement's hashes allow are locked; other packages keep all of theirs."""

from pathlib import Path
from typing import Any

import pytest

from reconciler.errors import LockError
from reconciler.lock.checks import allow_only_hashes
from reconciler.manifest.desired import RequirementLine
from tests.lock.workbench import local, requiring

A, B, C = "a" * 64, "b" * 64, "c" * 64


def file(sha256: str) -> dict[str, Any]:
    return {"name": sha256[0], "hashes": {"sha256": sha256}}


def left(packages: list[dict[str, Any]], *hashes: str) -> list[dict[str, Any]]:
    line = RequirementLine(text="Six>=1", source="r.txt:1:1", hashes=tuple(f"sha256:{each}" for each in hashes))
    allow_only_hashes(requiring(requirements=(line,)), packages)
    return packages


@pytest.mark.parametrize(
    ("hashes", "wheels", "sdist"),
    [((A,), [A], None), ((A, B), [A, B], None), ((C,), [], C), ((B, C), [B], C), ((), [A, B], C)],
)
def test_wheels_and_the_source_distribution_are_left_if_they_are_allowed(
    hashes: tuple[str, ...], wheels: list[str], sdist: str | None
) -> None:
    other = {"name": "other", "wheels": [file(A), file(C)]}
    [six, kept] = left([{"name": "six", "wheels": [file(A), file(B)], "sdist": file(C)}, dict(other)], *hashes)
    assert six.get("wheels", []) == [file(each) for each in wheels]
    assert six.get("sdist") == (file(sdist) if sdist else None)
    assert ("wheels" in six) == bool(wheels)
    assert kept == other


@pytest.mark.parametrize(
    ("version", "named"), [({"version": "1.0"}, "`six` 1.0"), ({}, "`six` ")], ids=["version", "no-version"]
)
def test_a_package_without_an_allowed_file_is_an_error(version: dict[str, str], named: str) -> None:
    with pytest.raises(LockError) as caught:
        left([{"name": "six", **version, "wheels": [file(A)], "sdist": file(B)}], C)
    assert caught.value.message == f"no file of {named} has a hash that the requirements file allows"
    assert caught.value.hint == "find out why the file differs, then update the hashes in the requirements file"


def test_a_local_archive_is_identified_by_its_path() -> None:
    line = local(Path("/w/six.whl"), hashes=(f"sha256:{A}",))
    packages = [
        {"name": "six", "archive": {"path": "/w/six.whl", **file(A)}},
        {"name": "other", "archive": {"url": "https://x/other.whl", **file(B)}},
    ]
    before = [dict(each) for each in packages]
    allow_only_hashes(requiring(requirements=(line,)), packages)
    assert packages == before
    with pytest.raises(LockError, match="no file of `six`"):
        allow_only_hashes(
            requiring(requirements=(line,)), [{"name": "six", "archive": {"path": "/w/six.whl", **file(B)}}]
        )
