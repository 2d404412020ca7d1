"""A lock has no credentials and no paths of the machine that it was made on."""

from pathlib import Path
from typing import Any

import pytest

from reconciler.lock.requirement_lines import RequirementLines
from reconciler.lock.resolve import _ordered, _portable

PRIVATE = "https://user:token@index.example/"
PLAIN = "https://index.example/"


def portable(package: dict[str, Any], tmp_path: Path) -> dict[str, Any]:
    """Return a package as the lock in `tmp_path/locks` has it; `tmp_path/copy` has a copy of the source at `/src`."""
    lines = RequirementLines(lines=(), directory=tmp_path / "output", overrides=(), bases=(tmp_path / "copy",))
    _portable(package, tmp_path / "locks", lines)
    return package


@pytest.mark.parametrize("key", ["vcs", "directory", "archive", "sdist"])
def test_a_source_has_a_plain_url_and_a_relative_path(key: str, tmp_path: Path) -> None:
    for path, written in (("here.zip", "../output/here.zip"), (str(tmp_path / "locks/x"), "x")):
        package: dict[str, Any] = {"name": "tool", key: {"url": PRIVATE + "tool.zip", "path": path}}
        assert portable(package, tmp_path) == {"name": "tool", key: {"url": PLAIN + "tool.zip", "path": written}}
    assert portable({"name": "tool"}, tmp_path) == {"name": "tool"}


def test_every_wheel_has_a_plain_url_and_a_relative_path(tmp_path: Path) -> None:
    package = {"wheels": [{"url": PRIVATE + "a-1.0.whl"}, {"path": str(tmp_path / "wheels/b-1.0.whl")}]}
    found = portable(package, tmp_path)
    assert found == {"wheels": [{"url": PLAIN + "a-1.0.whl"}, {"path": "../wheels/b-1.0.whl"}]}


def test_a_copy_is_written_as_its_original(tmp_path: Path) -> None:
    found = portable({"directory": {"path": str(tmp_path / "copy/src/tool")}}, tmp_path)
    assert (tmp_path / "locks" / found["directory"]["path"]).resolve() == Path("/src/tool").resolve()


def test_a_link_in_the_path_of_the_locks_is_resolved(tmp_path: Path) -> None:
    (tmp_path / "real/locks").mkdir(parents=True)
    (tmp_path / "locks").symlink_to("real/locks")
    assert portable({"directory": {"path": str(tmp_path / "src")}}, tmp_path) == {"directory": {"path": "../../src"}}


def test_a_file_with_an_escaped_name_in_its_url_gets_its_name(tmp_path: Path) -> None:
    package = {
        "sdist": {"url": PLAIN + "tool-1.0%2Blocal.tar.gz"},
        "wheels": [{"url": PLAIN + "tool-1.0%2Blocal-py3-none-any.whl", "name": "kept.whl"}, {"url": PLAIN + "a.whl"}],
    }
    found = portable(package, tmp_path)
    assert found["sdist"]["name"] == "tool-1.0+local.tar.gz"
    assert [each.get("name") for each in found["wheels"]] == ["kept.whl", None]


def test_the_keys_of_a_package_are_in_the_order_of_pep_751() -> None:
    package = {"wheels": [], "index": PLAIN, "other": 1, "version": "1.0", "name": "tool", "marker": "x"}
    assert [*_ordered(package)] == ["name", "version", "marker", "index", "wheels", "other"]
    assert _ordered(package) == package
