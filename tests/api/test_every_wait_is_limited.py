"""Whatever locks the root waits as long as its caller allows, and no longer."""

from collections.abc import Callable
from pathlib import Path

import pytest

import reconciler
from reconciler import Workspace
from reconciler.errors import LockTimeoutError
from reconciler.plan.plan_file import read_plan, save_plan
from reconciler.state.layout import Layout
from reconciler.state.root_mutex import acquire_root_mutex


def approve(workspace: Workspace, timeout: float) -> None:
    """Save the plan of a workspace, and apply it."""
    file = workspace.manifest.file.parent / "plan.json"
    save_plan(workspace.plan().plan, file)
    with workspace.approved(read_plan(file), timeout=timeout):
        pass


WAITING: dict[str, Callable[[Workspace, float], object]] = {
    "hold": lambda workspace, timeout: workspace.hold(timeout=timeout).__enter__(),
    "collect_caches": lambda workspace, timeout: workspace.collect_caches(timeout=timeout),
    "apply": lambda workspace, timeout: workspace.plan().apply(timeout=timeout),
    "approved": approve,
    "rollback": lambda workspace, timeout: workspace.maintenance.rollback("web", timeout=timeout),
    "hold an environment": lambda workspace, timeout: workspace.maintenance.hold("web", "INC-42", timeout=timeout),
    "release": lambda workspace, timeout: workspace.maintenance.release("web", timeout=timeout),
    "collect": lambda workspace, timeout: workspace.maintenance.collect(timeout=timeout),
}


@pytest.mark.parametrize("name", WAITING)
def test_the_wait_is_as_long_as_was_asked_for(name: str, tmp_path: Path) -> None:
    (tmp_path / "envs.yaml").write_text("version: 1\nproject: acme\nroot: envs\nenvironments: {}\n")
    workspace = reconciler.load(tmp_path / "envs.yaml")
    with acquire_root_mutex(Layout(tmp_path / "envs"), timeout=1):
        with pytest.raises(LockTimeoutError, match=r"\(waited 0\.05 seconds\)"):
            WAITING[name](workspace, 0.05)
        assert workspace.maintenance.collect(dry_run=True) == []
