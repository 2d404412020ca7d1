"""Whether a lock is up to date: its inputs, and the hashes of the archives on this machine."""

import hashlib
from dataclasses import replace
from pathlib import Path

import pytest

from reconciler.errors import LockError
from reconciler.lock.freshness import local_archives, lock_state, require_fresh
from reconciler.lock.lock_file import lock_path, parse_lock
from reconciler.lock.model import Lock, LockState
from reconciler.manifest.desired import BuildEnv, DesiredEnvironment, DesiredState
from tests.lock.nothing_generated import inputs_digest
from tests.lock.workbench import requiring

HEAD = 'lock-version = "1.0"\ncreated-by = "envsync"\n'
WEB = requiring("alpha")


def desired(locks: Path) -> DesiredState:
    return DesiredState(project="acme", file=Path("e"), root=locks / "r", locks=locks, digest="", environments=(WEB,))


def lock(locks: Path, packages: str = "packages = []\n", inputs: str = "") -> Lock:
    table = f'[tool.envsync]\ninputs = "{inputs or inputs_digest(WEB, ())}"\n'
    return parse_lock(f"{HEAD}{packages}{table}", lock_path(locks, "web"), "web")


def state(found: Lock | None, locks: Path) -> LockState:
    return lock_state(found, WEB, desired(locks))


def test_a_lock_is_up_to_date_while_its_inputs_are_the_same(tmp_path: Path) -> None:
    assert state(None, tmp_path) is LockState.MISSING
    assert state(lock(tmp_path), tmp_path) is LockState.FRESH
    assert state(lock(tmp_path, inputs="sha256:other"), tmp_path) is LockState.STALE
    by_another_tool = parse_lock(f"{HEAD}packages = []\n", lock_path(tmp_path, "web"), "web")
    assert state(by_another_tool, tmp_path) is LockState.STALE


def test_an_archive_with_different_contents_makes_it_out_of_date(tmp_path: Path) -> None:
    sha256 = hashlib.sha256(b"one").hexdigest()
    locks = tmp_path / "locks"
    found = lock(
        locks,
        f'[[packages]]\nname = "a"\narchive = {{path = "../a.zip", hashes = {{sha256 = "{sha256}"}}}}\n'
        f'[[packages]]\nname = "b"\narchive = {{url = "https://i.example/b.zip", hashes = {{sha256 = "{sha256}"}}}}\n'
        f'[[packages]]\nname = "c"\ndirectory = {{path = "../c"}}\n',
    )
    assert local_archives(found) == {locks / "../a.zip": sha256}
    locks.mkdir()
    assert state(found, locks) is LockState.FRESH  # it is not on this machine
    (tmp_path / "a.zip").write_bytes(b"one")
    assert state(found, locks) is LockState.FRESH
    (tmp_path / "a.zip").write_bytes(b"two")
    assert state(found, locks) is LockState.STALE


@pytest.mark.parametrize(
    ("states", "message", "names"),
    [
        ({"a": LockState.MISSING}, "`pylock.a.toml` is missing, but", "a"),
        ({"b": LockState.STALE}, "`pylock.b.toml` is out of date, but", "b"),
        (
            {"b": LockState.STALE, "c": LockState.MISSING, "a": LockState.STALE},
            "`pylock.c.toml` is missing, and `pylock.b.toml`, `pylock.a.toml` are out of date, but",
            "a b c",
        ),
    ],
)
def test_every_lock_that_is_not_up_to_date_is_named(
    tmp_path: Path, states: dict[str, LockState], message: str, names: str
) -> None:
    with pytest.raises(LockError) as caught:
        require_fresh(desired(tmp_path), {**states, "fine": LockState.FRESH, "bad": LockState.UNREADABLE})
    assert caught.value.message.startswith(message)
    assert caught.value.hint == f"run `envsync lock {names}` and commit the result"


def test_locks_that_are_up_to_date_or_unreadable_are_accepted(tmp_path: Path) -> None:
    require_fresh(desired(tmp_path), {"fine": LockState.FRESH, "bad": LockState.UNREADABLE})


@pytest.mark.parametrize(("value", "expected"), [("1234", LockState.FRESH), ("4321", LockState.STALE)])
def test_the_lock_of_an_older_envsync_with_the_hash_of_a_variable_of_the_shell_is_still_read(
    value: str, expected: LockState, tmp_path: Path
) -> None:
    def with_pin(text: str) -> DesiredEnvironment:
        variables = BuildEnv(variables={"A": "b"}, from_env={"PIN": text}, hashes={"PIN": f"sha256:{text}"})
        return replace(WEB, build_env=variables)

    before = replace(WEB, build_env=BuildEnv(variables={"A": "b", "PIN": "sha256:1234"}))
    older = lock(tmp_path, inputs=inputs_digest(before, desired(tmp_path).indexes))
    assert lock_state(older, with_pin(value), desired(tmp_path)) is expected
    present = lock(tmp_path, inputs=inputs_digest(with_pin("1234"), desired(tmp_path).indexes))
    assert lock_state(present, with_pin(value), desired(tmp_path)) is LockState.FRESH
