"""What a report shows beyond the plan: the last runs, and the dependency graphs of the environments that change."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from reconciler.cli import report_extras
from reconciler.cli.report_extras import newest_runs, published_graphs
from reconciler.plan.model import Plan
from reconciler.state.history import append_history
from reconciler.state.layout import Layout
from tests.observe.trees import VENV, build, dist_info
from tests.plan.build import world
from tests.state.edited import make_root
from tests.state.records import publish

PLAN = world({"manifest": {name: {"packages": {"six": "1.0"}} for name in ("api", "job", "web")}}).plan()


def graphs(root: Path, plan: Plan = PLAN) -> Mapping[str, Mapping[str, tuple[str, ...]]]:
    return published_graphs(plan, root)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Return a root in which `api` and `web` are published."""
    for name in ("api", "web"):
        venv = make_root(tmp_path).generation(name, 1).venv
        build(venv, {**VENV, **dist_info("six", "1.0"), **dist_info(name, "1.0")})
        publish(Layout(tmp_path), name, 1)
    return tmp_path


def test_every_published_environment_has_the_graph_of_what_is_installed(root: Path) -> None:
    assert graphs(root) == {name: {name: (), "six": ()} for name in ("api", "web")}


def test_only_the_first_environments_have_one(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report_extras, "_GRAPHS", 1)
    assert list(graphs(root)) == ["api"]


def test_environments_that_do_not_change_or_have_no_target_have_none(root: Path) -> None:
    assert graphs(root, replace(PLAN, environments=PLAN.environments[:2])).keys() == {"api"}
    assert (
        graphs(root, replace(PLAN, environments=tuple(replace(each, target=None) for each in PLAN.environments))) == {}
    )


def test_a_link_that_is_not_ours_or_points_to_no_venv_has_none(root: Path) -> None:
    Layout(root).environment("job").symlink_to(Layout(root).environment("web"))
    (Layout(root).generation("web", 1).venv / "pyvenv.cfg").unlink()
    assert list(graphs(root)) == ["api"]


def test_the_last_runs_are_shown_the_newest_first(tmp_path: Path) -> None:
    assert newest_runs(tmp_path) == ()
    layout = make_root(tmp_path)
    assert newest_runs(tmp_path) == ()
    for number in range(25):
        append_history(layout, {"run": number})
    assert [each["run"] for each in newest_runs(tmp_path)] == list(range(24, 4, -1))


def test_a_report_without_a_readable_history_shows_no_runs(tmp_path: Path) -> None:
    Layout(tmp_path).history.mkdir(parents=True)
    assert newest_runs(tmp_path) == ()
