"""The yanked versions of a lock: those that its packages have, and a sentence about each."""

from pathlib import Path
from typing import Any

import pytest

from reconciler.lock.lock_file import parse_lock
from reconciler.lock.model import IndexFile, Lock, LockedPackage
from reconciler.lock.yanked import yanked_in, yanked_notes


def lock(tool: str) -> Lock:
    return parse_lock(f'lock-version = "1.0"\ncreated-by = "x"\npackages = []\n{tool}', Path("x"), "web")


def package(name: str, version: str) -> LockedPackage:
    return LockedPackage(name=name, version=version, source=IndexFile(index="", filename="", sha256=""))


def test_only_versions_of_the_document_count() -> None:
    packages: list[dict[str, Any]] = [{"name": "Zope_X", "version": "1.0"}, {"name": "alpha", "version": "2.0"}]
    reported = {"zope-x==1.0": "broken", "alpha==1.0": "old", "alpha==2.0": "", "beta==1.0": ""}
    assert list(yanked_in(packages, reported).items()) == [("alpha==2.0", ""), ("zope-x==1.0", "broken")]


def test_each_version_has_a_sentence() -> None:
    found = lock('[tool.envsync.yanked]\n"alpha==2.0" = ""\n"beta==1.0" = "it is broken"\n"gamma==1" = 3\n')
    alpha, beta = "`alpha==2.0` was yanked from its index", "`beta==1.0` was yanked from its index: it is broken"
    assert yanked_notes(found) == (alpha, beta)
    assert yanked_notes(found, [package("beta", "1.0"), package("alpha", "1.0")]) == (beta,)
    assert yanked_notes(found, []) == ()


@pytest.mark.parametrize("tool", ["", "[tool]\nenvsync = 3\n", "[tool.envsync]\nyanked = 3\n", "[tool.other]\n"])
def test_a_lock_without_yanked_versions_has_none(tool: str) -> None:
    assert yanked_notes(lock(tool)) == ()
    assert yanked_notes(None) == ()
