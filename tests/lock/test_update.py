"""The outcome of `lock` for one environment: written only if it differs, renamed, and what failed."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from reconciler.errors import InterpreterError, LockError, UsageError
from reconciler.events import Failure
from reconciler.interpreters.model import Interpreter
from reconciler.lock import update
from reconciler.lock.lock_file import lock_path, parse_lock, read_lock, write_lock
from reconciler.lock.model import Lock, LockState
from reconciler.lock.update import CommittedLock, packages_to_upgrade, read_locks, refuse_upgrade_of_foreign_locks
from reconciler.manifest.desired import DesiredEnvironment, DesiredState, LockSource
from tests.lock.workbench import local, local_project, requiring
from tests.plan.build import interpreter
from tests.state.records import applied

TEXT = """
lock-version = "1.0"
created-by = "envsync"
[[packages]]
name = "{name}"
version = "1.0"
wheels = [{{url = "https://index.example/{name}-1.0-py3-none-any.whl", hashes = {{sha256 = "00"}}}}]
"""


REQUIRES_ALPHA = requiring("alpha>=1")
RENAMED = replace(REQUIRES_ALPHA, renamed_from="old")


def lock(directory: Path, package: str = "tool", name: str = "web") -> Lock:
    return parse_lock(TEXT.format(name=package), lock_path(directory, name), "web")


def committed(
    directory: Path,
    found: Lock | None,
    state: LockState = LockState.FRESH,
    *,
    environment: DesiredEnvironment = REQUIRES_ALPHA,
) -> CommittedLock:
    path = lock_path(directory, environment.name)
    return CommittedLock(environment=environment, path=path, lock=found, state=state, failure=None, refused=False)


def renamed(directory: Path, package: str = "tool", state: LockState = LockState.FRESH) -> CommittedLock:
    """Return the lock of an environment whose lock file still has its former name."""
    old = lock(directory, package, "old")
    write_lock(old)
    return committed(directory, old, state, environment=RENAMED)


def test_a_lock_that_is_the_same_is_not_written(tmp_path: Path) -> None:
    same = committed(tmp_path, lock(tmp_path)).update(lock(tmp_path))
    assert (same.changed, same.failure, same.before, same.environment) == (False, None, LockState.FRESH, "web")
    assert same.lock is not None
    assert not same.path.exists()
    nothing = committed(tmp_path, lock(tmp_path)).update(None)
    assert (nothing.changed, nothing.lock) == (False, lock(tmp_path))


@pytest.mark.parametrize("before", [None, "other"])
def test_a_lock_that_differs_is_written(tmp_path: Path, before: str | None) -> None:
    old = lock(tmp_path, before) if before else None
    outcome = committed(tmp_path, old, LockState.STALE).update(lock(tmp_path))
    assert (outcome.changed, outcome.before, outcome.lock) == (True, LockState.STALE, lock(tmp_path))
    assert read_lock(lock_path(tmp_path, "web"), "web", reach=None) is not None


def test_an_error_is_the_outcome(tmp_path: Path) -> None:
    outcome = committed(tmp_path, None, LockState.MISSING).update(LockError("no", hint="do"))
    assert (outcome.changed, outcome.lock) == (False, None)
    assert outcome.failure == Failure.of(LockError("no", hint="do"))
    unreadable = replace(committed(tmp_path, None, LockState.UNREADABLE), failure=outcome.failure)
    assert unreadable.outcome().failure == outcome.failure


def test_a_lock_that_cannot_be_written_is_the_outcome(tmp_path: Path) -> None:
    (tmp_path / "locks").write_text("")
    outcome = committed(tmp_path / "locks", None).update(lock(tmp_path / "locks"))
    assert outcome.failure is not None
    assert "could not be written" in outcome.failure.message
    assert not outcome.changed


def test_the_file_with_the_former_name_is_replaced(tmp_path: Path) -> None:
    before = renamed(tmp_path)
    assert before.former == lock_path(tmp_path, "old")
    planned = before.update(None, write=False)
    assert (planned.changed, planned.former) == (False, lock_path(tmp_path, "old"))
    outcome = before.update(None)
    assert (outcome.changed, outcome.former) == (True, lock_path(tmp_path, "old"))
    assert [each.name for each in tmp_path.iterdir()] == ["pylock.web.toml"]
    assert committed(tmp_path, None, environment=RENAMED).former is None


def test_a_stale_lock_with_the_former_name_is_not_renamed_without_a_new_one(tmp_path: Path) -> None:
    before = renamed(tmp_path, "other", LockState.STALE)
    assert not before.update(None).changed
    outcome = before.update(lock(tmp_path))
    assert outcome.changed
    assert [each.name for each in tmp_path.iterdir()] == ["pylock.web.toml"]


def test_a_former_file_that_cannot_be_removed_is_the_outcome(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(path: Path, *, missing_ok: bool = False) -> None:
        raise OSError(30, "Read-only file system", str(path))

    before = renamed(tmp_path)
    with monkeypatch.context() as patched:
        patched.setattr(Path, "unlink", fails)
        outcome = before.update(None)
    assert outcome.failure is not None
    assert outcome.failure.message == f"`{lock_path(tmp_path, 'old')}` could not be removed: Read-only file system"
    assert outcome.failure.hint == "make the file system writable, then run the command again"
    assert not outcome.changed


def test_only_packages_that_a_lock_or_a_requirement_has_can_be_upgraded(tmp_path: Path) -> None:
    locks = [committed(tmp_path, lock(tmp_path, "tool"))]
    assert packages_to_upgrade(["Tool", "ALPHA"], locks) == ("tool", "alpha")
    with pytest.raises(UsageError, match="no selected environment has the package `tol`") as caught:
        packages_to_upgrade(["tol"], locks)
    assert "tool" in (caught.value.hint or "")
    with pytest.raises(UsageError, match="has the packages `x`, `y`"):
        packages_to_upgrade(["y", "x", "tool"], locks)
    with pytest.raises(UsageError, match="`a b` is not a package name") as caught:
        packages_to_upgrade(["a b"], locks)
    assert caught.value.hint == "write only the name; the manifest says which versions are allowed"
    assert packages_to_upgrade(["unknown"], [*locks, committed(tmp_path, None)]) == ("unknown",)


def test_a_project_and_an_override_name_packages_too(tmp_path: Path) -> None:
    environment = DesiredEnvironment(name="web", python="3.11", overrides=("Beta==1",))
    found = committed(tmp_path, lock(tmp_path), environment=environment)
    assert packages_to_upgrade(["beta"], [found]) == ("beta",)


def test_the_requirements_of_a_project_and_not_local_directories_name_packages(tmp_path: Path) -> None:
    environment = requiring("alpha", project=local_project(tmp_path, requirements=("delta>=1",)))
    environment = replace(environment, requirements=(*environment.requirements, local(tmp_path / "lib")))
    found = committed(tmp_path, lock(tmp_path), environment=environment)
    assert packages_to_upgrade(["delta", "alpha"], [found]) == ("delta", "alpha")


def foreign(name: str, relative: str) -> CommittedLock:
    source = LockSource(path=Path("/x") / relative, relative=relative, tool="uv", sha256="0")
    environment = DesiredEnvironment(name=name, python="3.11", lock=source)
    return committed(Path("/x"), None, LockState.MISSING, environment=environment)


def test_a_lock_of_another_tool_is_not_upgraded(tmp_path: Path) -> None:
    with pytest.raises(
        UsageError, match=r"nothing to upgrade: the packages come from `a/uv\.lock`, `uv\.lock`"
    ) as caught:
        refuse_upgrade_of_foreign_locks(
            [foreign("web", "uv.lock"), foreign("api", "a/uv.lock"), foreign("x", "uv.lock")]
        )
    assert caught.value.hint == "upgrade that lock with its own tool, then run `envsync lock web api x`"
    refuse_upgrade_of_foreign_locks([foreign("web", "uv.lock"), committed(tmp_path, None)])


def test_locks_are_read_for_every_environment(tmp_path: Path) -> None:
    write_lock(lock(tmp_path))
    lock_path(tmp_path, "bad").write_text("damaged")
    environments = tuple(replace(requiring("alpha"), name=name) for name in ("web", "bad", "none"))
    desired = DesiredState(
        project="acme",
        file=tmp_path / "envs.yaml",
        root=tmp_path / ".envs",
        locks=tmp_path,
        digest="",
        environments=environments,
    )
    web, bad, none = read_locks(desired)
    assert (web.lock, web.state, web.failure) == (
        read_lock(lock_path(tmp_path, "web"), "web", reach=None),
        LockState.STALE,
        None,
    )
    assert (bad.lock, bad.state) == (None, LockState.UNREADABLE)
    assert bad.failure is not None
    assert "not a valid lock" in bad.failure.message
    assert (none.lock, none.state, none.failure) == (None, LockState.MISSING, None)
    assert [each.path.name for each in (web, bad, none)] == [f"pylock.{each}.toml" for each in ("web", "bad", "none")]
    assert [each.environment.name for each in (web, bad, none)] == ["web", "bad", "none"]


class Chooser:
    """Chooses an interpreter for every request except `none`, and remembers what was to be kept."""

    def __init__(self) -> None:
        self.kept: list[tuple[str, str]] = []

    def choose(self, request: str, *, keep: str = "", keep_version: str = "") -> Interpreter:
        self.kept.append((keep, keep_version))
        if request == "none":
            raise InterpreterError("no interpreter", hint=None)
        return interpreter("3.12.1", f"/python/{request}")


def test_each_environment_is_resolved_for_its_interpreter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[object] = []

    def resolved(environments: list[DesiredEnvironment], *rest: object) -> dict[str, str]:
        given.extend([[each.name for each in environments], *rest])
        return {each.name: "a hint" for each in environments}

    monkeypatch.setattr(update, "resolve_all", resolved)
    chooser: Any = Chooser()
    outdated = [
        replace(committed(tmp_path, found), environment=DesiredEnvironment(name=name, python=python))
        for name, python, found in (("web", "3.11", lock(tmp_path)), ("bad", "none", None), ("new", "3.12", None))
    ]
    last = {"web": applied("web")}
    desired, engine, options = object(), object(), object()
    resolve: Any = update.resolve_again
    found = resolve(outdated, desired, last, chooser, engine, options)
    recorded = last["web"].interpreter
    assert chooser.kept == [(recorded.path, recorded.version), ("", ""), ("", "")]
    assert {name: str(each) for name, each in found.items()} == {
        "bad": "no interpreter",
        "web": "a hint",
        "new": "a hint",
    }
    chosen = {"web": interpreter("3.12.1", "/python/3.11"), "new": interpreter("3.12.1", "/python/3.12")}
    before = {"web": lock(tmp_path), "bad": None, "new": None}
    assert given == [["web", "new"], desired, chosen, engine, options, before]


def test_a_former_file_that_is_gone_already_does_not_matter(tmp_path: Path) -> None:
    before = renamed(tmp_path)
    lock_path(tmp_path, "old").unlink()
    assert before.update(None).changed


def test_no_lock_at_all_has_no_hint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    known: Callable[[CommittedLock], list[str]] = lambda _: []  # noqa: E731
    monkeypatch.setattr(update, "_known_packages", known)
    with pytest.raises(UsageError) as caught:
        packages_to_upgrade(["x"], [committed(tmp_path, lock(tmp_path))])
    assert caught.value.hint is None


def test_an_environment_of_its_own_lock_can_be_upgraded(tmp_path: Path) -> None:
    refuse_upgrade_of_foreign_locks([])
    refuse_upgrade_of_foreign_locks([committed(tmp_path, None)])
