"""What a wheel contained when it was fetched is remembered by its hash, and anything else is an edit in the cache."""

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import pytest

from reconciler.apply.verify_build import installed_records
from reconciler.apply.wheel_contents import WheelContents, _wheel
from reconciler.errors import RecordMismatchError
from reconciler.lock.model import ArchiveFile, IndexFile, LockedPackage, Source, SourceDirectory
from reconciler.state.inode_hashes import InodeHashes
from reconciler.state.inventory_scan import take_inventory
from reconciler.state.layout import Layout
from tests.apply.fake_uv import SITE, install_package
from tests.state.edited import edit_state_file, make_root, stored_in

WHEEL = IndexFile(index="https://index.example/simple", filename="tool-1.0-py3-none-any.whl", sha256="1" * 64)
THAN = "those of the wheel when it was fetched"


def package(name: str, source: Source) -> LockedPackage:
    return LockedPackage(name=name, version="1.0", source=source)


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    found = make_root(tmp_path / "root")
    found.cache.mkdir()
    return found


@pytest.fixture
def venv(tmp_path: Path) -> Path:
    """Return a venv with the package `tool`: a package with a module, and a module next to it."""
    found = tmp_path / "venv"
    install_package(found, "tool", {"tool/__init__.py": b"ONE = 1\n", "single.py": b"TWO = 2\n"})
    return found


def verify(
    wheels: WheelContents,
    venv: Path,
    *packages: LockedPackage,
    fetched: Collection[str] = (),
    replaced: Mapping[str, Collection[str]] | None = None,
) -> None:
    inventory = take_inventory(venv, InodeHashes())
    known = packages or (package("tool", WHEEL),)
    wheels.verify(venv, installed_records(venv), known, inventory, fetched=fetched, replaced=replaced or {})


def edited(wheels: WheelContents, venv: Path, *packages: LockedPackage, **more: Any) -> dict[str, tuple[str, ...]]:
    """Return the message without what it always says, and the packages of the error."""
    with pytest.raises(RecordMismatchError) as caught:
        verify(wheels, venv, *packages, **more)
    assert f" from {THAN}: " in caught.value.message
    return {caught.value.message.partition(f"{THAN}: ")[2]: caught.value.packages}


def rewrite(venv: Path, module: str, content: bytes) -> None:
    """Change a module and its hash in RECORD, as someone who edits the cache does."""
    info = venv / SITE / "tool-1.0.dist-info"
    for path in info.iterdir():
        path.unlink()
    info.rmdir()
    files = {"tool/__init__.py": b"ONE = 1\n", "single.py": b"TWO = 2\n", module: content}
    install_package(venv, "tool", files)


RECORD = f"`{SITE}/tool-1.0.dist-info/RECORD`"


def test_the_first_contents_are_known_in_the_same_run_and_in_later_ones(layout: Layout, venv: Path) -> None:
    wheels = WheelContents(layout)
    verify(wheels, venv)
    verify(wheels, venv)
    wheels.save()
    for later in (wheels, WheelContents(layout)):
        verify(later, venv)
        rewrite(venv, "single.py", b"edited")
        assert edited(later, venv) == {RECORD: ("tool",)}
        rewrite(venv, "single.py", b"TWO = 2\n")


def test_what_was_fetched_again_is_right_and_replaces_what_was_known(layout: Layout, venv: Path) -> None:
    wheels = WheelContents(layout)
    verify(wheels, venv)
    rewrite(venv, "single.py", b"fetched")
    assert edited(wheels, venv, fetched={"other"}) == {RECORD: ("tool",)}
    verify(wheels, venv, fetched={"tool"})
    verify(wheels, venv)
    wheels.save()
    verify(WheelContents(layout), venv)


def test_a_file_that_no_record_lists_is_an_edit_of_the_package_whose_directory_it_is_in(
    layout: Layout, venv: Path
) -> None:
    wheels = WheelContents(layout)
    verify(wheels, venv)
    (venv / SITE / "tool/extra.py").write_text("x")
    assert edited(wheels, venv) == {f"`{SITE}/tool/extra.py`": ("tool",)}
    verify(wheels, venv, fetched={"tool"})
    verify(wheels, venv)
    (venv / SITE / "tool/extra.py").write_text("y")
    assert edited(wheels, venv) == {f"`{SITE}/tool/extra.py`": ("tool",)}


def test_an_unlisted_file_is_not_right_only_because_it_is_the_first_time(layout: Layout, venv: Path) -> None:
    (venv / SITE / "tool/extra.py").write_text("x")
    assert edited(WheelContents(layout), venv) == {f"`{SITE}/tool/extra.py`": ("tool",)}


def test_an_unlisted_file_that_may_come_from_any_wheel_blames_all_of_them(layout: Layout, venv: Path) -> None:
    wheels = WheelContents(layout)
    install_package(venv, "other", {"other.py": b"OTHER = 1\n"})
    install_package(venv, "built", {"built.py": b"BUILT = 1\n"})
    directory = SourceDirectory(path="../built", editable=False, content="")
    packages = (
        package("tool", WHEEL),
        package("other", ArchiveFile(location="https://x.example/other.whl", sha256="2" * 64, subdirectory="")),
        package("built", directory),
    )
    verify(wheels, venv, *packages)
    (venv / SITE / "any.pth").write_text("x")
    both = {f"`{SITE}/other-1.0.dist-info/RECORD`, {RECORD}": ("other", "tool")}
    assert edited(wheels, venv, *packages) == both
    assert edited(wheels, venv, *packages, fetched={"tool"}) == both
    verify(wheels, venv, *packages, fetched={"tool", "other"})
    verify(wheels, venv, *packages)
    (venv / SITE / "any.pth").write_text("y")
    assert edited(wheels, venv, *packages) == both


@pytest.mark.parametrize(
    "path",
    [f"{SITE}/_virtualenv.py", f"{SITE}/_virtualenv.pth", f"{SITE}/tool/__pycache__/x.pyc", "bin/new", "lib/other.py"],
)
def test_files_that_come_from_no_wheel_do_not_count(path: str, layout: Layout, venv: Path) -> None:
    wheels = WheelContents(layout)
    verify(wheels, venv)
    (venv / path).parent.mkdir(parents=True, exist_ok=True)
    (venv / path).write_text("x")
    verify(wheels, venv)


def test_files_of_the_installer_and_contents_of_scripts_do_not_count(layout: Layout, venv: Path) -> None:
    wheels = WheelContents(layout)
    info = f"{SITE}/tool-1.0.dist-info"
    (venv / "bin").mkdir()

    def write(script: bytes, installer: str, name: str = "INSTALLER") -> None:
        (venv / "bin/tool").write_bytes(script)
        (venv / "bin/data").write_bytes(b"data")
        (venv / info / name).write_text(installer)
        rows = [f"../../../bin/tool,sha256={len(script)},", "../../../bin/data,sha256=x,", "single.py,sha256=z,"]
        rows += ["tool/__init__.py,sha256=y,", f"tool-1.0.dist-info/{name},sha256={installer},"]
        (venv / info / "RECORD").write_text(
            "\n".join([*rows, "tool-1.0.dist-info/METADATA,,", "tool-1.0.dist-info/RECORD,,", ""])
        )

    write(b"#!/one/bin/python", "uv")
    verify(wheels, venv)
    write(b"#!/another/bin/python", "pip")
    verify(wheels, venv)
    write(b"program", "uv")
    assert edited(wheels, venv) == {RECORD: ("tool",)}
    (venv / info / "INSTALLER").unlink()
    write(b"#!/one/bin/python", "uv", name="INSTALLED")
    assert edited(wheels, venv) == {RECORD: ("tool",)}


def test_a_missing_file_counts_with_the_hash_that_record_has(layout: Layout, venv: Path) -> None:
    wheels, record = WheelContents(layout), venv / SITE / "tool-1.0.dist-info/RECORD"
    text = record.read_text()
    record.write_text(f"../../../bin/missing,sha256=one,\n{text}")
    verify(wheels, venv)
    record.write_text(f"../../../bin/missing,sha256=two,\n{text}")
    assert edited(wheels, venv) == {RECORD: ("tool",)}


def test_a_package_whose_files_a_different_one_replaced_is_not_compared(layout: Layout, venv: Path) -> None:
    wheels = WheelContents(layout)
    verify(wheels, venv)
    rewrite(venv, "single.py", b"of another package")
    verify(wheels, venv, replaced={"tool": {f"{SITE}/single.py"}})
    assert edited(wheels, venv, replaced={"tool": set()}) == {RECORD: ("tool",)}


@pytest.mark.parametrize(
    ("source", "sha256"),
    [
        (WHEEL, "1" * 64),
        (IndexFile(index="https://i.example", filename="tool-1.0.tar.gz", sha256="1" * 64), ""),
        (ArchiveFile(location="https://x.example/a.whl#sha256=0", sha256="2" * 64, subdirectory=""), "2" * 64),
        (ArchiveFile(location="https://x.example/a.zip#egg=a.whl", sha256="2" * 64, subdirectory=""), ""),
        (SourceDirectory(path="../a.whl", editable=False, content=""), ""),
    ],
)
def test_only_a_wheel_that_the_lock_names_is_remembered(source: Source, sha256: str) -> None:
    assert _wheel(package("tool", source)) == sha256


def test_what_is_remembered_is_written_once_and_kept_for_other_wheels(layout: Layout, venv: Path) -> None:
    wheels = WheelContents(layout)
    wheels.save()
    assert not layout.wheel_contents.exists()
    verify(wheels, venv)
    wheels.save()
    stored = stored_in(layout.wheel_contents)
    assert (stored["format"], list(stored["wheels"])) == (1, [WHEEL.sha256])
    edit_state_file(layout.wheel_contents, {"wheels": {"other": "known", **stored["wheels"]}})
    install_package(venv, "other", {"other.py": b"OTHER = 1\n"})
    later = WheelContents(layout)
    verify(later, venv, package("tool", WHEEL), package("other", IndexFile(index="", filename="x.whl", sha256="3")))
    later.save()
    kept = stored_in(layout.wheel_contents)["wheels"]
    assert kept == stored["wheels"] | {"other": "known", "3": kept["3"]}


@pytest.mark.parametrize("change", [{"format": 2}, {"wheels": []}])
def test_a_file_of_another_form_is_not_used(change: dict[str, Any], layout: Layout, venv: Path) -> None:
    wheels = WheelContents(layout)
    verify(wheels, venv)
    wheels.save()
    edit_state_file(layout.wheel_contents, change)
    rewrite(venv, "single.py", b"other")
    verify(WheelContents(layout), venv)


def test_a_cache_that_is_missing_or_damaged_is_learned_again(layout: Layout, venv: Path) -> None:
    layout.wheel_contents.write_text("damaged")
    wheels = WheelContents(layout)
    verify(wheels, venv)
    layout.wheel_contents.unlink()
    layout.cache.rmdir()
    wheels.save()
    assert not layout.cache.exists()
