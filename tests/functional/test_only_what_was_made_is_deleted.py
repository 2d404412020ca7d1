"""Links, other directories and mounts in the place of a generation: no command changes what they contain."""

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.functional.host_state import generations, published, tree
from tests.host import Host, Ran, new_host
from tests.mounts import mounted

WEB = 'web:\n  python: "3.11"\n  packages: [%s]\n  keep_generations: 1\n'


@dataclass(frozen=True, kw_only=True)
class Swapped:
    """A host whose generations 1 and 2 can be deleted, and a precious directory outside of its root."""

    host: Host
    precious: Path

    def generation(self, number: int) -> Path:
        return self.host.root / f".envsync/generations/web/{number}"


@pytest.fixture(scope="module")
def thrice(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    with new_host(tmp_path_factory.mktemp("thrice")) as host:
        for packages in ("alpha==1.0", "alpha==1.1", "beta"):
            host.manifest(WEB % packages)
            assert host.envsync("apply", "--yes", "--no-gc").code == 0
        subprocess.run(["cp", "-a", host.directory, host.directory.with_name("saved")], check=True)
        yield host


@pytest.fixture
def swapped(thrice: Host, tmp_path: Path) -> Swapped:
    """Return the host, restored from a copy like from a backup."""
    shutil.rmtree(thrice.directory)
    subprocess.run(["cp", "-a", thrice.directory.with_name("saved"), thrice.directory], check=True)
    precious = tmp_path / "precious"
    (precious / "venv").mkdir(parents=True)
    (precious / "venv/thesis.txt").write_text("mine")
    return Swapped(host=thrice, precious=precious)


def run_without_damage(swapped: Swapped, *arguments: str) -> Ran:
    """Run a command, and assert that it does not change the precious directory."""
    before = tree(swapped.precious.parent)
    ran = swapped.host.envsync(*arguments)
    assert tree(swapped.precious.parent) == before
    return ran


def test_a_restored_generation_is_deleted_only_if_it_is_unchanged(swapped: Swapped) -> None:
    (swapped.generation(2) / "venv/notes.txt").write_text("mine")
    ran = run_without_damage(swapped, "gc")
    assert ran.code == 1
    assert ran.out.splitlines() == [
        "web: generation 1 deleted",
        "web: generation 2 kept: it is not the directory that envsync created",
    ]
    assert (swapped.generation(2) / "venv/notes.txt").read_text() == "mine"


def directory_for_generation(swapped: Swapped) -> None:
    shutil.rmtree(swapped.generation(1))
    shutil.copytree(swapped.precious, swapped.generation(1))


def directory_for_venv(swapped: Swapped) -> None:
    shutil.rmtree(swapped.generation(1) / "venv")
    shutil.copytree(swapped.precious, swapped.generation(1) / "venv")


def link_for_generation(swapped: Swapped) -> None:
    swapped.generation(1).rename(swapped.precious / "1")
    swapped.generation(1).symlink_to(swapped.precious / "1")


def link_for_venv(swapped: Swapped) -> None:
    (swapped.generation(1) / "venv").rename(swapped.precious / "1")
    (swapped.generation(1) / "venv").symlink_to(swapped.precious / "1")


@pytest.mark.parametrize(
    "swap",
    [directory_for_generation, directory_for_venv, link_for_generation, link_for_venv],
    ids=lambda each: each.__name__,
)
def test_a_directory_or_link_in_the_place_of_a_generation_is_kept_and_reported(
    swapped: Swapped, swap: Callable[[Swapped], None]
) -> None:
    swap(swapped)
    before = tree(swapped.generation(1))
    assert run_without_damage(swapped, "rollback", "web", "--to", "1", "--no-rebuild").code in {1, 3}
    assert published(swapped.host, "web") == 3
    swapped.host.manifest(WEB % "beta" + "  description: changed\n")
    ran = run_without_damage(swapped, "apply", "--yes")
    assert ran.code == 0
    assert f"note: web: `{swapped.generation(1)}` was not deleted: " in ran.err
    ran = run_without_damage(swapped, "gc", "--output", "json")
    assert ran.code == 1
    assert '"foreign": "' in ran.out
    assert generations(swapped.host, "web") == [1, 3]
    assert tree(swapped.generation(1)) == before
    rebuilt = run_without_damage(swapped, "rollback", "web", "--to", "1").code == 0
    assert rebuilt is (swap in {directory_for_venv, link_for_venv}), "its seal and its lock are still there"
    assert published(swapped.host, "web") == (4 if rebuilt else 3)
    after = {path: content for path, content in tree(swapped.generation(1)).items() if path != "drifted"}
    assert after == before


@pytest.mark.parametrize("link", [".envsync", ".envsync/generations", ".envsync/environments", ".envsync/adopted"])
def test_a_link_in_the_place_of_a_directory_of_envsync_is_not_followed(swapped: Swapped, link: str) -> None:
    place = swapped.host.root / link
    if place.exists():
        place.rename(swapped.precious / "moved")
    place.symlink_to(swapped.precious / "moved" if (swapped.precious / "moved").exists() else swapped.precious)
    (swapped.precious / ".web.json.4194305.tmp").touch()  # like the leftover of a killed writer
    swapped.host.manifest(WEB % "alpha==1.1")
    writing = (("gc",), ("apply", "--yes"), ("destroy", "web", "--yes"), ("rollback", "web"), ("lock",))
    for command in (*writing, ("plan",), ("check",), ("status",), ("verify",), ("history",)):
        ran = run_without_damage(swapped, *command)
        assert ran.code == 1, (command, ran.out, ran.err)
        assert f"`{place}` is a symbolic link, which envsync does not follow" in ran.err


def test_a_link_in_the_place_of_all_generations_of_an_environment_is_not_followed(swapped: Swapped) -> None:
    place = swapped.generation(1).parent
    place.rename(swapped.precious / "moved")
    place.symlink_to(swapped.precious / "moved")
    swapped.host.manifest(WEB % "alpha==1.1")
    ran = run_without_damage(swapped, "apply", "--yes")
    assert ran.code == 1
    assert "its path contains a symbolic link" in ran.err
    assert run_without_damage(swapped, "rollback", "web").code in {1, 3}
    assert run_without_damage(swapped, "gc").code == 1
    assert run_without_damage(swapped, "destroy", "web", "--yes").code == 0
    assert len(os.listdir(swapped.precious / "moved")) == 3


@pytest.mark.parametrize("kind", ["tmpfs", "bind"])
def test_a_mounted_file_system_in_a_generation_is_not_entered(swapped: Swapped, kind: str) -> None:
    place = swapped.generation(1) / "venv/lib"
    arguments = ("-t", "tmpfs", "tmpfs", place) if kind == "tmpfs" else ("--bind", swapped.precious, place)
    with mounted(*arguments):
        (place / "data.txt").write_text("mine")
        before = tree(swapped.generation(1))
        ran = run_without_damage(swapped, "gc")
        assert ran.code == 1
        assert "web: generation 1 kept: a file system is mounted at or below it" in ran.out
        assert tree(swapped.generation(1)) == before
