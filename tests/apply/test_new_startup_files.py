"""Which files that Python runs at every start a new generation brings, compared with the one before."""

from dataclasses import replace
from pathlib import Path

import pytest

from reconciler.apply.new_startup_files import new_startup_sentences
from reconciler.observe.actual import ActualEnvironment, Depth, Distribution, Occupant, StartupFile
from reconciler.state.inode_hashes import InodeHashes
from reconciler.state.inventory_file import save_inventory
from reconciler.state.inventory_scan import take_inventory
from reconciler.state.published_generation import PublishedGeneration
from tests.apply.fake_uv import SITE, install_package

BASE = "/usr/lib/python3.11/sitecustomize.py"


def built(venv: Path, packages: dict[str, dict[str, bytes]], *others: str) -> ActualEnvironment:
    """Build a venv whose startup files are those of the packages, and `others`, which no package has."""
    distributions, startup = [], [BASE, *(f"{SITE}/{each}" for each in others)]
    for name, files in packages.items():
        install_package(venv, name, files)
        place = f"{SITE}/{name}-1.0.dist-info"
        distributions.append(Distribution(key=name, name=name, version="1.0", place=place, location=SITE))
        startup += [f"{SITE}/{each}" for each in files]
    for each in others:
        (venv / SITE / each).write_text("other")
    return ActualEnvironment(
        name="web",
        path=str(venv),
        occupant=Occupant.PUBLISHED,
        depth=Depth.FILES,
        distributions=tuple(distributions),
        startup=tuple(StartupFile(path=each, detail="runs") for each in startup),
    )


def published(venv: Path) -> PublishedGeneration:
    inventory = take_inventory(venv, InodeHashes())
    path = venv.parent / f"{venv.name}.inventory"
    save_inventory(inventory, path)
    return PublishedGeneration(
        generation=1,
        venv=venv,
        inventory=path,
        seal="",
        home="",
        system_site_packages=False,
        inventory_digest=inventory.digest,
    )


def sentences(venv: Path, observed: ActualEnvironment, before: PublishedGeneration | None) -> list[str]:
    return new_startup_sentences(venv, observed, take_inventory(venv, InodeHashes()), before)


@pytest.fixture
def before(tmp_path: Path) -> PublishedGeneration:
    built(tmp_path / "old", {"a": {"a.pth": b"1", "a2.pth": b"2"}, "b": {"b.pth": b"1"}}, "own.pth")
    return published(tmp_path / "old")


def test_every_startup_file_of_a_package_is_new_in_the_first_generation(tmp_path: Path) -> None:
    venv = tmp_path / "new"
    observed = built(venv, {"b": {"b.pth": b"1"}, "a": {"a.pth": b"1", "a2.pth": b"2"}}, "own.pth")
    assert sentences(venv, observed, None) == [
        f"`a` brings 2 files that Python runs at every start: `{SITE}/a.pth`, `{SITE}/a2.pth`",
        f"`b` brings a file that Python runs at every start: `{SITE}/b.pth`",
    ]


def test_what_has_the_same_contents_as_before_is_not_said(tmp_path: Path, before: PublishedGeneration) -> None:
    venv = tmp_path / "new"
    observed = built(venv, {"a": {"a.pth": b"1", "a2.pth": b"2"}, "b": {"b.pth": b"1"}}, "own.pth")
    assert sentences(venv, observed, before) == []


def test_new_files_and_different_contents_are_said_apart(tmp_path: Path, before: PublishedGeneration) -> None:
    venv = tmp_path / "new"
    observed = built(venv, {"a": {"a.pth": b"other", "a2.pth": b"2"}, "b": {"new.pth": b"1"}}, "own.pth", "added.pth")
    (venv / SITE / "own.pth").write_text("changed")
    other = "brings different contents"
    assert sentences(venv, observed, before) == [
        f"the virtual environment {other} of a file that Python runs at every start: `{SITE}/own.pth`",
        f"the virtual environment brings a file that Python runs at every start: `{SITE}/added.pth`",
        f"`a` {other} of a file that Python runs at every start: `{SITE}/a.pth`",
        f"`b` brings a file that Python runs at every start: `{SITE}/new.pth`",
    ]


def test_without_a_readable_inventory_all_files_of_packages_are_new(
    tmp_path: Path, before: PublishedGeneration
) -> None:
    venv = tmp_path / "new"
    observed = built(venv, {"b": {"b.pth": b"1"}}, "own.pth")
    new = [f"`b` brings a file that Python runs at every start: `{SITE}/b.pth`"]
    assert sentences(venv, observed, before) == []
    assert sentences(venv, observed, replace(before, unreadable="its seal is damaged")) == new
    assert sentences(venv, observed, replace(before, inventory_digest="sha256:other")) == new
    assert sentences(venv, observed, replace(before, inventory=tmp_path / "missing")) == new


def test_with_many_files_the_first_are_named(tmp_path: Path) -> None:
    venv = tmp_path / "new"
    observed = built(venv, {"a": {f"{number}.pth": b"" for number in range(5)}})
    [sentence] = sentences(venv, observed, None)
    assert sentence.startswith("`a` brings 5 files that Python runs at every start: ")
    assert sentence.endswith(f"`{SITE}/2.pth` and 2 more")
