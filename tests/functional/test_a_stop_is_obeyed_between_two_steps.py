"""A request to stop is obeyed before the next step and the next program, even if none of them notices a signal."""

import sys
import threading
from pathlib import Path

import pytest

import reconciler
from reconciler.events import Event, RunFinished, StepStarted
from reconciler.plan.model import StepKind
from tests.functional.host_state import generations
from tests.host import Host, base_environment

WEB = 'web:\n  python: "3.11"\n  packages: [gamma]\n'
# A probe that ends only after the stop was requested, and successfully, as one that ignores signals.
WAIT = "import pathlib, sys, time\nwhile not pathlib.Path(sys.argv[1]).exists():\n    time.sleep(0.01)\n"


def apply_and_stop(host: Host, step: StepKind, go: Path) -> tuple[RunFinished, list[str]]:
    """Apply, and request to stop when `step` starts; return the result and the steps that were started."""
    stop, started = threading.Event(), list[str]()

    def on_event(event: Event) -> None:
        if isinstance(event, StepStarted):
            started.append(event.step)
            if event.step == step:
                stop.set()
                go.touch()

    workspace = reconciler.load(host.directory / "envs.yaml", ambient=base_environment())
    return workspace.plan().apply(on_event=on_event, stop=stop), started


@pytest.fixture
def waiting(tmp_path: Path) -> str:
    """Return the command of a probe that waits for `tmp_path / "go"`, without the closing bracket."""
    (tmp_path / "wait.py").write_text(WAIT)
    return f"{{run: [{sys.executable}, {tmp_path / 'wait.py'}, {tmp_path / 'go'}], timeout: 1m}}"


def test_before_the_next_step(host: Host, waiting: str, tmp_path: Path) -> None:
    host.manifest(WEB + f"  probes: [{waiting}]\n")
    result, started = apply_and_stop(host, StepKind.PROBE, tmp_path / "go")
    assert (result.interrupted, result.exit_code, result.environments[0].status) == (True, 130, "interrupted")
    assert started[-2:] == [StepKind.PROBE, StepKind.SEAL], "a step is announced, then the stop is noticed"
    assert generations(host, "web") == []
    assert not host.venv("web").is_symlink()


def test_before_the_next_probe(host: Host, waiting: str, tmp_path: Path) -> None:
    second = f"{{run: [touch, {tmp_path / 'second'}]}}"
    host.manifest(WEB + f"  probes: [{waiting}, {second}]\n")
    result, _ = apply_and_stop(host, StepKind.PROBE, tmp_path / "go")
    assert result.exit_code == 130
    assert not (tmp_path / "second").exists()


def test_the_published_environment_keeps_its_generation(host: Host, waiting: str, tmp_path: Path) -> None:
    host.manifest(WEB)
    host.apply()
    host.manifest(WEB.replace("gamma", "beta") + f"  probes: [{waiting}]\n")
    apply_and_stop(host, StepKind.PROBE, tmp_path / "go")
    assert host.freeze("web") == ["gamma==0.1"]
    assert generations(host, "web") == [1]
    host.apply()


def test_what_is_published_is_recorded_first(host: Host, tmp_path: Path) -> None:
    """After the commit point, only completing the work leaves nothing half done."""
    host.manifest(WEB)
    result, started = apply_and_stop(host, StepKind.PUBLISH, tmp_path / "go")
    if started[-1] == StepKind.PUBLISH:  # the stop was noticed just before
        assert generations(host, "web") == []
    else:
        assert started[-1] == StepKind.RECORD
        assert (result.environments[0].status, host.freeze("web")) == ("applied", ["gamma==0.1"])
