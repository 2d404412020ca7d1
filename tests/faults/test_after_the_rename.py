"""A step that fails after the rename is durable already, or is reported and done by the next run: each step in turn."""

import errno
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from reconciler.state.applied import Applied
from reconciler.state.store import State
from tests.faults.tracer import CAN_TRACE, Fault, trace
from tests.functional.host_state import generations, last_run, published
from tests.host import Host, base_environment, new_host

pytestmark = [
    pytest.mark.skipif(not CAN_TRACE, reason="the tracer supports only Linux on x86-64"),
    # The index is a thread, which a forked child does not have; the child calls exec immediately.
    pytest.mark.filterwarnings("ignore:.*use of fork.*:DeprecationWarning"),
]
DONE = "`%s` is published again as generation 1, but "
RESTORED = "`%s` is restored, but "
LIVE = "(the new generation is already published)"
GONE = "(the environment's path is already removed)"
NO_HISTORY = "note: the history has no line about this run: "


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A step after the rename that fails: its call (`%s`: the environment), how often it was made before, the error.

    `code` and `message` are how the command ends; the message is empty if the step only writes a cache.
    """

    call: str
    error: int = errno.ENOSPC
    before: int = 0
    code: int = 1
    message: str = ""


ROLLBACK = {
    "rollback-flush": Step(call="fsync .envs", error=errno.EIO, message=DONE),
    "rollback-mark": Step(call="unlink unpublished", error=errno.EIO, code=0),
    "rollback-record": Step(call="renameat .%s.json.tmp", error=errno.EIO, message=DONE),
    "rollback-record-flush": Step(call="fsync environments", error=errno.EIO, message=DONE),
    "rollback-history": Step(call="openat history.jsonl", error=errno.EACCES, code=0, message=NO_HISTORY),
    "rollback-history-line": Step(call="write history.jsonl", code=0, message=NO_HISTORY),
}
APPLY = {
    "apply-flush": Step(call="fsync .envs", error=errno.EIO, message=LIVE),
    "apply-record": Step(call="write .%s.json.tmp", message=LIVE),
    "apply-record-after-hooks": Step(call="write .%s.json.tmp", before=1, message=LIVE),
    "apply-history": Step(call="write history.jsonl", code=0, message=NO_HISTORY),
}
DESTROY = {
    "destroy-flush": Step(call="fsync .envs", error=errno.EIO, message=GONE),
    "destroy-record": Step(call="unlink %s.json", error=errno.EIO, message=GONE),
}
RESTORE = {
    "restore-flush": Step(call="fsync .envs", error=errno.EIO, message=RESTORED),
    "restore-remains": Step(call="unlink %s.json", error=errno.EIO, code=0),
}
ADOPT = {
    "adopt-flush": Step(call="fsync .envs", error=errno.EIO, message=LIVE),
    "adopt-name": Step(call="rename moving", error=errno.EIO, message=LIVE),
    "adopt-record": Step(call="write .%s.json.tmp", message=LIVE),
}
OTHERS = (*ROLLBACK, *APPLY, *DESTROY, *RESTORE)
ENTRY = '%s:\n  python: "3.11"\n  packages: [%s]\n'
HOOKS = '  hooks: {after_publish: [["true"]]}\n'


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    """Yield a host with an environment for each step; those to roll back have two generations."""
    with new_host(tmp_path_factory.mktemp("after")) as made:
        first = {name: ENTRY % (name, "gamma") for name in OTHERS}
        made.manifest("".join(first.values()))
        assert made.envsync("apply", "--yes").code == 0
        second = {name: ENTRY % (name, "beta") for name in ROLLBACK}
        hooked = {name: ENTRY % (name, "beta") + HOOKS for name in APPLY}
        made.manifest("".join({**first, **second}.values()))
        assert made.envsync("apply", "--yes").code == 0
        assert made.envsync("destroy", "--yes", *RESTORE).code == 0
        foreign = {name: ENTRY % (name, "gamma") for name in ADOPT}
        made.manifest("".join({**first, **second, **hooked, **foreign}.values()))
        assert made.envsync("lock").code == 0
        for name in ADOPT:
            subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(made.venv(name))], check=True)
            (made.venv(name) / "marker").write_text(name)
        yield made


def fail(host: Host, name: str, step: Step, directory: Path, *arguments: str) -> None:
    """Run a command in which the step fails, and compare its exit code and its message."""
    call = step.call.replace("%s", name)
    fault = Fault(whose="own", at=step.before + 1, only=call, error=step.error)
    argv = [sys.executable, "-m", "reconciler", *arguments]
    ran = trace(argv, cwd=host.directory, env=base_environment(), output_directory=directory, fault=fault)
    assert ran.hit is not None, (ran.code, ran.out, ran.err)
    assert ran.code == step.code, (ran.out, ran.err)
    message = step.message.replace("%s", name)
    assert message in " ".join((ran.out + ran.err).split()) if message else "error" not in ran.err


def applied(host: Host, name: str) -> Applied:
    found = State.at(host.root).applied(name)
    assert found is not None
    return found


@pytest.mark.parametrize("name", ROLLBACK)
def test_a_rollback_says_that_it_is_done_and_its_record_is_kept(name: str, host: Host, tmp_path: Path) -> None:
    fail(host, name, ROLLBACK[name], tmp_path, "rollback", name)
    assert published(host, name) == 1
    if ROLLBACK[name].call != "renameat .%s.json.tmp":  # without the record its seal counts
        assert applied(host, name).rolled_back_from == 2
    assert applied(host, name).generation == 1
    if ROLLBACK[name].message != NO_HISTORY:
        (entry,) = last_run(host)["environments"]
        assert (entry["name"], entry["action"], entry["generation"]) == (name, "rollback", 1)
        assert entry["status"] == ("failed" if ROLLBACK[name].code else "applied")
    assert host.envsync("gc").code == 0
    assert host.envsync("rollback", name).code == 3, "no generation is older: a retry does not go back further"
    assert not list((host.root / f".envsync/generations/{name}/1").glob("unpublished"))


@pytest.mark.parametrize("name", APPLY)
def test_an_apply_says_that_it_is_published_and_the_next_one_does_the_rest(
    name: str, host: Host, tmp_path: Path
) -> None:
    fail(host, name, APPLY[name], tmp_path, "apply", "--yes", name)
    assert (published(host, name), applied(host, name).generation) == (2, 2)
    assert applied(host, name).hooks_pending is (APPLY[name].code == 1), "unless they have run and this is recorded"
    assert host.envsync("apply", "--yes", name).code == 0
    assert (generations(host, name), applied(host, name).hooks_pending) == ([1, 2], False)
    assert host.envsync("check", name).code == 0


@pytest.mark.parametrize("name", DESTROY)
def test_a_destroy_says_that_the_path_is_removed_and_the_next_one_does_the_rest(
    name: str, host: Host, tmp_path: Path
) -> None:
    fail(host, name, DESTROY[name], tmp_path, "destroy", "--yes", name)
    assert published(host, name) == 0
    assert applied(host, name).generation == 1, "it is owned until it can be restored"
    assert host.envsync("destroy", "--yes", name).code == 0
    assert host.envsync("rollback", name).code == 0
    assert published(host, name) == 1


@pytest.mark.parametrize("name", RESTORE)
def test_a_restore_says_that_it_is_done(name: str, host: Host, tmp_path: Path) -> None:
    fail(host, name, RESTORE[name], tmp_path, "rollback", name)
    assert (published(host, name), applied(host, name).generation) == (1, 1)
    assert host.envsync("gc").code == 0
    assert not (host.root / f".envsync/deleted/{name}.json").exists()


@pytest.mark.parametrize("name", ADOPT)
def test_an_adoption_says_that_it_is_published_and_keeps_the_directory(name: str, host: Host, tmp_path: Path) -> None:
    fail(host, name, ADOPT[name], tmp_path, "apply", "--yes", "--adopt", name)
    assert published(host, name) == 2, "what was adopted is generation 1"
    assert host.envsync("apply", "--yes", name).code == 0
    assert applied(host, name).generation == 2
    kept = State.at(host.root).layout.adopted_generation(name, 1)
    assert (kept.venv / "marker").read_text() == name
