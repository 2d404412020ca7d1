"""`Bench`: a root with the real engine, whose uv is replaced, for tests of the steps of one environment."""

import datetime as dt
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from packaging.markers import default_environment

from reconciler.apply.context import ApplyContext, ApplyOptions
from reconciler.apply.environment import EnvironmentRun
from reconciler.diff.model import Target
from reconciler.engines.uv import UvEngine
from reconciler.events import Event
from reconciler.interpreters.model import Interpreter
from reconciler.lock.lock_file import parse_lock
from reconciler.lock.model import LockState
from reconciler.lock.select import select_packages
from reconciler.manifest.desired import DesiredEnvironment, Index
from reconciler.observe.actual import Depth
from reconciler.plan.model import Action, EnvironmentPlan, Plan, Step, StepKind
from reconciler.state.applied import Applied
from reconciler.state.generated_files import NOTHING_GENERATED
from reconciler.state.inode_hashes import InodeHashes
from reconciler.state.owner import ManifestIdentity
from reconciler.state.store import State
from tests.apply.fake_uv import FakeUv

PYTHON = Interpreter(
    path=str(Path(sys.executable).resolve()),
    version="3.11.7",
    implementation="cpython",
    markers={key: str(value) for key, value in default_environment().items()},
    tags=("py3-none-any",),
)
LOCK = """
lock-version = "1.0"
created-by = "envsync"
"""
TOOL = """
[[packages]]
name = "tool"
version = "1.0"
index = "https://index.example/simple"
wheels = [{url = "https://index.example/tool-1.0-py3-none-any.whl", hashes = {sha256 = "%s"}}]
""" % ("0" * 64)
SOURCE = """
[[packages]]
name = "tool"
version = "1.0"
index = "https://index.example/simple"
sdist = {url = "https://index.example/tool-1.0.tar.gz", hashes = {sha256 = "%s"}}
""" % ("0" * 64)
TOOL_MODULE = b"ONE = 1\n"
OTHER = b"OTHER = 1\n"
INDEX = Index(name="main", url="https://index.example/simple")


@dataclass
class Bench:
    """A root, the engine with its uv, and the runs in it."""

    state: State
    uv: FakeUv
    engine: UvEngine
    events: list[Event] = field(default_factory=list)
    offline: bool = False
    interrupted: bool = False

    def run(
        self,
        *steps: StepKind,
        lock: str = LOCK + TOOL,
        interpreter: Interpreter = PYTHON,
        plan: Mapping[str, Any] | None = None,
        **settings: Any,
    ) -> EnvironmentRun:
        environment = DesiredEnvironment(name="web", python="3.11", **settings)
        parsed = parse_lock(lock, Path("/locks/pylock.web.toml"), "web")
        target = Target(
            environment=environment,
            interpreter=interpreter,
            lock_state=LockState.FRESH,
            lock=parsed,
            packages=select_packages(parsed, environment, interpreter, generated=NOTHING_GENERATED),
            hint="",
            faults=(),
        )
        kinds = steps or (
            StepKind.BUILD,
            StepKind.VERIFY,
            StepKind.SEAL,
            StepKind.SYNC,
            StepKind.PUBLISH,
            StepKind.RECORD,
        )
        described = EnvironmentPlan(
            name="web",
            path=str(self.state.layout.environment("web")),
            action=Action.UPDATE,
            target=target,
            steps=tuple(step(kind) for kind in kinds),
        )
        return EnvironmentRun(replace(described, **(plan or {})), self.context(described))

    def context(self, plan: EnvironmentPlan) -> ApplyContext:
        found = ApplyContext(
            plan=Plan(
                project="acme",
                root=str(self.state.layout.root),
                manifest="",
                locks={},
                depth=Depth.FILES,
                environments=(plan,),
            ),
            plan_id="sha256:plan",
            state=self.state,
            engine=self.engine,
            indexes=(INDEX, Index(name="other", url="https://other.example/simple")),
            options=ApplyOptions(parallelism=1, offline=self.offline),
            inodes=InodeHashes(),
            ambient={},
            owner=ManifestIdentity(path="../envs.yaml", repository="https://git.example/acme"),
            keep_deleted=dt.timedelta(days=7),
            emit=self.events.append,
        )
        if self.interrupted:
            found.stop.set()
        return found

    def applied(self, **more: Any) -> Applied:
        """Apply the environment; return what is recorded."""
        run = self.run(**more)
        run.begin()
        for each in run.plan.steps:
            run.perform(each)
        found = self.state.applied("web")
        assert found is not None
        return found


def step(kind: StepKind) -> Step:
    return Step(id=f"web/{kind.value}", kind=kind, environment="web")


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    tmp_path.chmod(0o755)
    return bench_at(tmp_path, monkeypatch)


def bench_at(root: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    """Return a root whose uv knows the packages `tool` and `other`, which both have a module `tool`."""
    state, fake = State.at(root), FakeUv({"tool": {"tool.py": TOOL_MODULE}, "other": {"tool.py": OTHER}})
    return Bench(state=state, uv=fake, engine=fake.engine(state.layout.engine_cache, monkeypatch))


def performed(run: EnvironmentRun, *kinds: StepKind) -> list[str]:
    run.begin()
    return [run.perform(step(kind)) for kind in kinds]
