"""Bytecode is linked only for a module that both venvs share, if its contents were seen and did not change."""

import os
from pathlib import Path

import pytest

from reconciler.apply.bytecode import link_bytecode, shared_bytecode
from reconciler.state.inode_hashes import InodeHashes

PACKAGES = "lib/python3.12/site-packages"
A, B = f"{PACKAGES}/a.py", f"{PACKAGES}/p/b.py"
CACHES = {A: f"{PACKAGES}/__pycache__", B: f"{PACKAGES}/p/__pycache__"}
BYTECODE = {A: f"{CACHES[A]}/a.cpython-312.pyc", B: f"{CACHES[B]}/b.cpython-312.pyc"}


class Venvs:
    """Two venvs that share the modules A and B; the old one has the bytecode of both, whose contents were seen."""

    def __init__(self, directory: Path) -> None:
        self.old, self.new = directory / "old", directory / "new"
        self.inodes = InodeHashes()
        self.inodes.begin_linking()
        for module in (A, B):
            write(self.old / module, "ONE = 1\n")
            self.see(write(self.old / BYTECODE[module], f"compiled {module}"))
            (self.new / module).parent.mkdir(parents=True)
            os.link(self.old / module, self.new / module)

    def see(self, path: Path) -> None:
        self.inodes.read_sha256(path, path.lstat())

    def shared(self) -> tuple[dict[str, dict[str, str]], list[str]]:
        """Return the bytecode to link by cache directory and name, and the modules to compile, as relative paths."""
        shared, uncompiled = shared_bytecode(self.old, self.new, self.inodes)
        return (
            {
                os.path.relpath(cache, self.new): {
                    name: os.path.relpath(file, self.old) for name, file in links.items()
                }
                for cache, links in shared.items()
            },
            [each.relative_to(self.new).as_posix() for each in uncompiled],
        )


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def links_of(*modules: str) -> dict[str, dict[str, str]]:
    return {CACHES[each]: {Path(BYTECODE[each]).name: BYTECODE[each]} for each in modules}


@pytest.fixture
def venvs(tmp_path: Path) -> Venvs:
    return Venvs(tmp_path)


def test_the_bytecode_of_a_shared_module_is_linked(venvs: Venvs) -> None:
    assert venvs.shared() == (links_of(A, B), [])
    link_bytecode(shared_bytecode(venvs.old, venvs.new, venvs.inodes)[0])
    for each in BYTECODE.values():
        assert (venvs.new / each).samefile(venvs.old / each)


def test_every_bytecode_file_of_a_module_is_linked(venvs: Venvs) -> None:
    optimized = f"{CACHES[A]}/a.cpython-312.opt-1.pyc"
    venvs.see(write(venvs.old / optimized, "compiled"))
    write(venvs.old / CACHES[A] / "a.cpython-312.pyc.140", "the compiler was killed")
    assert venvs.shared()[0][CACHES[A]].keys() == {Path(BYTECODE[A]).name, Path(optimized).name}
    (venvs.old / optimized).write_text("edited since")
    assert venvs.shared() == (links_of(B), [A]), "one file that changed is enough"


def test_a_module_that_the_old_venv_lacks_is_compiled(venvs: Venvs) -> None:
    (venvs.old / A).unlink()
    assert venvs.shared() == (links_of(B), [A]), "its bytecode is still there"
    write(venvs.new / PACKAGES / "q/c.py", "ONE = 1\n")
    assert venvs.shared() == (links_of(B), [A, f"{PACKAGES}/q/c.py"])


def test_a_module_in_what_is_a_file_in_the_old_venv_is_compiled(venvs: Venvs) -> None:
    (venvs.old / PACKAGES / "p").rename(venvs.old / "p")
    write(venvs.old / PACKAGES / "p", "a file")
    assert venvs.shared() == (links_of(A), [B])


def test_a_module_with_other_contents_is_compiled(venvs: Venvs) -> None:
    (venvs.new / A).unlink()
    write(venvs.new / A, "ONE = 1\n")
    assert venvs.shared() == (links_of(B), [A])


def test_a_module_that_is_a_link_is_compiled(venvs: Venvs) -> None:
    for each in (venvs.old, venvs.new):
        (each / A).unlink()
    (venvs.old / A).symlink_to("a.txt")
    os.link(venvs.old / A, venvs.new / A, follow_symlinks=False)
    assert venvs.shared() == (links_of(B), [A])


def test_a_module_without_bytecode_is_compiled(venvs: Venvs) -> None:
    (venvs.old / BYTECODE[A]).unlink()
    assert venvs.shared() == (links_of(B), [A])


def test_bytecode_that_changed_since_it_was_seen_or_was_never_seen_is_not_linked(venvs: Venvs) -> None:
    (venvs.old / BYTECODE[A]).write_text("edited")
    assert venvs.shared() == (links_of(B), [A])
    venvs.inodes = InodeHashes()
    venvs.inodes.begin_linking()
    assert venvs.shared() == ({}, [A, B])


def test_only_modules_in_real_directories_of_site_packages_are_compiled(venvs: Venvs) -> None:
    write(venvs.new / "bin/tool.py", "ONE = 1\n")
    write(venvs.new / CACHES[A] / "left.py", "ONE = 1\n")
    write(venvs.new / PACKAGES / "p/data.txt", "")
    (venvs.new / PACKAGES / "directory.py").mkdir()
    (venvs.new / PACKAGES / "linked").symlink_to(venvs.new / "bin")
    (venvs.new / "lib64").symlink_to("lib")
    (venvs.new / "lib/python3.13").mkdir()
    (venvs.new / "lib/python3.13/site-packages").symlink_to(venvs.new / "bin")
    assert venvs.shared() == (links_of(A, B), [])


def test_bytecode_that_is_already_there_is_replaced(venvs: Venvs) -> None:
    write(venvs.new / BYTECODE[A], "from a wheel")
    link_bytecode(shared_bytecode(venvs.old, venvs.new, venvs.inodes)[0])
    assert (venvs.new / BYTECODE[A]).samefile(venvs.old / BYTECODE[A])


@pytest.mark.parametrize("exists", [True, False])
def test_a_link_in_place_of_bytecode_is_not_followed(exists: bool, venvs: Venvs, tmp_path: Path) -> None:
    """It was put there after the bytecode was examined."""
    outside = write(tmp_path / "outside", "of another program")
    (venvs.old / BYTECODE[A]).unlink()
    (venvs.old / BYTECODE[A]).symlink_to(outside)
    if exists:
        write(venvs.new / BYTECODE[A], "from a wheel")
    link_bytecode({f"{venvs.new}/{CACHES[A]}": {Path(BYTECODE[A]).name: f"{venvs.old}/{BYTECODE[A]}"}})
    assert (venvs.new / BYTECODE[A]).is_symlink()
    assert outside.stat().st_nlink == 1
