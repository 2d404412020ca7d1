"""Whether an agreement still holds, and whether only declared environments are below a root."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from reconciler.fastpath.agreement import agreement_path, stat_signature
from reconciler.fastpath.unchanged import _Check, _nothing_undeclared
from reconciler.state.columns_file import dump_columns
from reconciler.state.former_name import MARK, former_path_link
from reconciler.state.layout import Layout

READING = {"names": ["web"], "digest": "sha256:reading", "access": 0o055}


@pytest.fixture
def agreed(tmp_path: Path) -> Callable[..., bool]:
    """Return a function that writes an agreement with some values, and returns whether it holds."""
    tmp_path.chmod(0o755)
    generation = Layout(tmp_path).generation("web", 1)
    generation.venv.mkdir(parents=True)
    record = tmp_path / "record"
    record.write_text("{}")
    (tmp_path / "web").symlink_to("the link")
    path = Path(agreement_path(str(tmp_path), "web"))
    path.parent.mkdir(parents=True)

    def holds(**more: Any) -> bool:
        agreement = {
            "manifest": READING["digest"],
            "access": READING["access"],
            "link": "the link",
            "until": "",
            "venv": str(generation.venv),
            "files": [(str(record), stat_signature(record.lstat()))],
            "followed": [],
            "searched": "",
            **more,
        }
        if agreement["searched"] is None:
            del agreement["searched"]
        path.write_bytes(dump_columns(str(path), "agreed", agreement))
        found = _Check(str(tmp_path), READING, files=True).agreement("web")
        assert found is None or found["manifest"] == READING["digest"]
        return found is not None

    return holds


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({}, True),
        ({"manifest": "sha256:other"}, False),
        ({"access": 0o050}, False),
        ({"link": "another link"}, False),
        ({"files": [("/none/record", [1, 2, 3, 4, 5])]}, False),
        ({"until": "2026-01-01"}, False),
        ({"until": "9999-01-01"}, True),
        ({"searched": None}, False),
        ({"searched": "/usr/bin"}, True),
        ({"searched": "/none/bin"}, False),
    ],
)
def test_an_agreement_holds_only_if_all_that_it_depends_on_is_the_same(
    agreed: Callable[..., bool], more: dict[str, Any], expected: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    assert agreed(**more) is expected


def test_without_a_link_or_an_agreement_nothing_holds(agreed: Callable[..., bool], tmp_path: Path) -> None:
    assert agreed()
    (tmp_path / "web").unlink()
    assert not agreed()
    assert _Check(str(tmp_path), READING, files=True).agreement("api") is None


@pytest.mark.parametrize("closed", ["generations/web", "generations/web/1", "generations/web/1/in-use"])
def test_a_generation_that_others_cannot_read_is_for_the_full_program(
    agreed: Callable[..., bool], tmp_path: Path, closed: str
) -> None:
    path = tmp_path / ".envsync" / closed
    if not path.exists():
        path.touch()
    assert agreed()
    path.chmod(0o700)
    assert not agreed()
    tmp_path.chmod(0o700)
    assert agreed(), "then no other user can enter the root"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Return a root with the record and a generation of `web`."""
    layout = Layout(tmp_path)
    for directory in (layout.records, layout.all_deleted, layout.generation("web", 1).directory):
        directory.mkdir(parents=True)
    layout.record("web").touch()
    return tmp_path


def nothing_undeclared(root: Path) -> bool:
    return _nothing_undeclared(str(root), ["web", "new"])


def test_a_record_or_a_generation_of_another_environment_is_something_to_do(root: Path) -> None:
    layout = Layout(root)
    assert nothing_undeclared(root)
    layout.record("old").touch()
    assert not nothing_undeclared(root)
    layout.record("old").unlink()
    layout.generation("old", 1).directory.mkdir(parents=True)
    assert not nothing_undeclared(root)


def test_generations_of_a_deleted_environment_are_kept_unless_something_is_at_its_path(root: Path) -> None:
    layout = Layout(root)
    for name in ("old", "older"):
        layout.generation(name, 1).directory.mkdir(parents=True)
    layout.deleted("old").touch()
    assert not nothing_undeclared(root)
    layout.deleted("older").touch()
    assert nothing_undeclared(root)
    (root / "older").symlink_to("nowhere")
    assert not nothing_undeclared(root)


def test_generations_below_a_former_name_belong_to_the_present_one(root: Path) -> None:
    layout = Layout(root)
    former = layout.generation("site", 1).directory
    former.mkdir(parents=True)
    (former / MARK).symlink_to("web")
    assert not nothing_undeclared(root)
    (root / "site").symlink_to(former_path_link("web"))
    assert nothing_undeclared(root)
    (root / "site").unlink()
    (root / "site").symlink_to(former_path_link("unknown"))
    assert not nothing_undeclared(root)


def test_only_links_to_generations_may_be_left_of_a_former_name(root: Path) -> None:
    generations = Layout(root).generations("site")
    generations.mkdir(parents=True)
    (generations / "1").symlink_to("../web/1")
    assert nothing_undeclared(root)
    (root / "site").mkdir()
    assert not nothing_undeclared(root)
    (root / "site").rmdir()
    (generations / "2").mkdir()
    assert not nothing_undeclared(root)
