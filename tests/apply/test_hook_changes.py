"""What hooks changed in the published generation: packages that came or went, and every file."""

from collections.abc import Callable
from pathlib import Path

import pytest

from reconciler.apply.hook_changes import changes_by_hooks
from tests.apply.bench import Bench
from tests.apply.bench import bench as bench
from tests.apply.fake_uv import SITE, install_package


def removed(venv: Path) -> None:
    for path in (venv / SITE / "tool-1.0.dist-info").iterdir():
        path.unlink()
    (venv / SITE / "tool-1.0.dist-info").rmdir()


@pytest.mark.parametrize(
    ("change", "packages", "paths"),
    [
        (lambda _: None, set(), set()),
        (lambda venv: (venv / "added").touch(), set(), {"added"}),
        (lambda venv: (venv / "added.log").touch(), set(), set()),
        (lambda venv: (venv / SITE / "tool.py").write_text("edited"), set(), {f"{SITE}/tool.py"}),
        (lambda venv: install_package(venv, "extra", {}), {"extra"}, set()),
        (removed, {"tool"}, set()),
    ],
)
def test_packages_that_came_or_went_and_files_that_differ_are_found(
    change: Callable[[Path], object], packages: set[str], paths: set[str], bench: Bench
) -> None:
    applied = bench.applied(ignore_files=("*.log",))
    change(bench.state.layout.generation("web", 1).venv)
    found = changes_by_hooks(bench.state, applied)
    assert found[0] == packages
    assert paths <= found[1]
    assert all("extra-1.0" in each or "tool-1.0" in each for each in found[1] - paths)
    assert bool(found[1]) is bool(packages or paths)
