"""Every way in which one environment of five can be bad: it is named, and the four others are reported in full.

One host serves all ways. In each, `drifted` has an edited file, `changed` has a new setting, `same` and `other` are as
they were applied, and `bad` is bad.
"""

import json
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.every_case import EVERY_CASE, usually
from tests.functional.host_state import finished, generations, published
from tests.functional.test_reading_commands_need_no_write_permission import as_other_user, readable_interpreter
from tests.host import Host, new_host
from tests.state.edited import stored_in, write_stored
from tests.unprivileged import reachable_directory

FORMATS = ("text", "json", "markdown", "github", "sarif", "junit", "gitlab", "html")


def manifest(host: Host, turn: int, bad: str = 'python: "3.11", packages: [alpha==1.0]') -> None:
    host.manifest(
        f"bad: {{{bad}, keep_generations: 50}}\n"
        f'changed: {{python: "3.11", packages: [beta], env: {{TURN: "{turn}", public: [TURN]}}}}\n'
        'drifted: {python: "3.11", packages: [gamma]}\n'
        'other: {python: "3.11", packages: [beta]}\n'
        'same: {python: "3.11", packages: [alpha==1.1]}\n'
    )


@dataclass(frozen=True, kw_only=True)
class Way:
    """One way to be bad: what it does to a host, and how `bad` is reported.

    `spec` is the manifest entry of `bad`. `blocked` is the code of the blocked reason, empty if an apply repairs it;
    `drift` is the code of its drift, if it has any. `failed` is whether resolving fails, `locks` whether
    `lock` does for another reason, and `unsealed` whether the old generation has no seal, so that it may be collected.
    """

    name: str
    damage: Callable[[Host], object] = lambda _host: None
    spec: str = 'python: "3.11", packages: [alpha==1.0]'
    blocked: str = ""
    drift: str = ""
    failed: bool = False
    locks: bool = False
    unsealed: bool = False


def lock_file(host: Host) -> Path:
    return host.directory / "locks" / "pylock.bad.toml"


def record(host: Host) -> Path:
    return host.root / ".envsync/environments/bad.json"


def generation(host: Host) -> Path:
    return generation_of(host, "bad")


def generation_of(host: Host, name: str) -> Path:
    return Path(f"{host.root}/{(host.root / name).readlink()}").parent


def as_directory(path: Path) -> None:
    path.unlink()
    path.mkdir()


def replaced(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def replaced_by_a_file(host: Host) -> None:
    (host.root / "bad").unlink()
    (host.root / "bad").write_text("a file")


def linked_elsewhere(host: Host) -> None:
    (host.root / "bad").unlink()
    (host.root / "bad").symlink_to("/usr/bin")


def no_index(host: Host) -> None:
    host.index.broken["/simple/delta/"] = 403


def directory_as_interpreter(host: Host) -> None:
    (host.directory.parent / "python3.11").mkdir(exist_ok=True)


def not_executable(host: Host) -> None:
    (host.directory.parent / "python3").write_text("#!/bin/sh\n")


NO_PYTHON, BAD_LOCK, BAD_STATE, NEWER = "no-interpreter", "lock-unreadable", "state-unreadable", "newer-format"
DAMAGED = "environment-damaged"
WAYS = (
    Way(name="no interpreter of the version", spec='python: "3.99"', blocked=NO_PYTHON),
    Way(name="no interpreter in the range", spec='python: ">=3.98,<4"', blocked=NO_PYTHON),
    Way(name="no file at the path of the interpreter", spec="python: /opt/none/bin/python3", blocked=NO_PYTHON),
    Way(name="no executable", spec="python: @HERE@/python3", damage=not_executable, blocked=NO_PYTHON),
    Way(
        name="a directory as interpreter",
        spec="python: @HERE@/python3.11",
        damage=directory_as_interpreter,
        blocked=NO_PYTHON,
    ),
    Way(
        name="a variable for its builds is not set",
        spec='python: "3.11", packages: [alpha==1.0], build_env: {from_env: [NOT_SET_ANYWHERE]}',
        blocked="unset-variable",
        locks=True,
    ),
    Way(name="lock is not TOML", damage=lambda host: lock_file(host).write_text("<<<<"), blocked=BAD_LOCK, locks=True),
    Way(name="lock is empty", damage=lambda host: lock_file(host).write_text(""), blocked=BAD_LOCK, locks=True),
    Way(
        name="lock is not UTF-8",
        damage=lambda host: lock_file(host).write_bytes(b"\xff\xfe"),
        blocked=BAD_LOCK,
        locks=True,
    ),
    Way(name="lock is a directory", damage=lambda host: as_directory(lock_file(host)), blocked=BAD_LOCK, locks=True),
    Way(
        name="lock of a newer version",
        damage=lambda host: replaced(lock_file(host), 'lock-version = "1.0"', 'lock-version = "2.0"'),
        blocked=NEWER,
        locks=True,
    ),
    Way(
        name="lock has nothing for the interpreter",
        damage=lambda host: replaced(lock_file(host), "-py3-none-any.whl", "-cp27-cp27m-win32.whl"),
        blocked=BAD_LOCK,
    ),
    Way(name="record is damaged", damage=lambda host: record(host).write_text("{"), blocked=BAD_STATE),
    Way(name="record is empty", damage=lambda host: record(host).write_text(""), blocked=BAD_STATE),
    Way(name="record is a directory", damage=lambda host: as_directory(record(host)), blocked=BAD_STATE),
    Way(
        name="record is that of another",
        damage=lambda host: shutil.copy(record(host).with_name("same.json"), record(host)),
        blocked=BAD_STATE,
    ),
    Way(
        name="record is newer",
        damage=lambda host: replaced(record(host), '"format":1', '"format":3'),
        blocked=NEWER,
    ),
    Way(
        name="seal is newer",
        damage=lambda host: replaced(generation(host) / "seal.json", '"format":1', '"format":2'),
        blocked=NEWER,
    ),
    Way(
        name="seal is damaged",
        damage=lambda host: (generation(host) / "seal.json").write_text("{"),
        drift=DAMAGED,
    ),
    Way(
        name="seal is missing",
        damage=lambda host: (generation(host) / "seal.json").unlink(),
        drift=DAMAGED,
        unsealed=True,
    ),
    Way(
        name="inventory is damaged",
        damage=lambda host: (generation(host) / "inventory").write_text("envsync inventory 1 0000\nabc"),
        drift=DAMAGED,
    ),
    Way(
        name="the virtual environment is gone",
        damage=lambda host: shutil.rmtree(generation(host)),
        drift="gone",
        unsealed=True,
    ),
    Way(name="the link is gone", damage=lambda host: (host.root / "bad").unlink(), drift="gone"),
    Way(name="a file at its path", damage=replaced_by_a_file, blocked="not-ours", drift="gone"),
    Way(name="a link to elsewhere at its path", damage=linked_elsewhere, blocked="not-ours", drift="gone"),
    Way(
        name="no version satisfies the requirements",
        spec='python: "3.11", packages: [alpha==7.0]',
        blocked="lock-failed",
        failed=True,
    ),
    Way(
        name="index is down",
        spec='python: "3.11", packages: [delta]',
        damage=no_index,
        blocked="lock-failed",
        failed=True,
    ),
)


# One way for each way to be reported.
ONE_OF_EACH_KIND = sorted(
    {
        (way.blocked, way.drift, way.failed, way.locks, way.unsealed): number
        for number, way in reversed(list(enumerate(WAYS)))
    }.values()
)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    with new_host(tmp_path_factory.mktemp("bad")) as made:
        manifest(made, -1)
        made.apply()
        yield made


@contextmanager
def damaged(host: Host, way: Way, turn: int) -> Iterator[None]:
    """Make `bad` bad while the block runs; what an apply did not repair is restored."""
    paths = [lock_file(host), record(host), generation(host) / "seal.json"]
    before = {path: path.read_bytes() for path in paths}
    link = (host.root / "bad").readlink()
    edited = host.site_packages("drifted") / "gamma/__init__.py"
    edited.unlink()
    edited.write_text(f"# {turn}")
    manifest(host, turn, way.spec.replace("@HERE@", str(host.directory.parent)))
    way.damage(host)
    try:
        yield
    finally:
        host.index.broken.clear()
        manifest(host, turn)
        if way.blocked:
            for path, content in before.items():
                if path.is_dir():
                    path.rmdir()
                path.write_bytes(content)
            if not (host.root / "bad").is_symlink() or (host.root / "bad").readlink() != link:
                (host.root / "bad").unlink()
                (host.root / "bad").symlink_to(link)


def reported(plan: dict[str, Any], way: Way, *, resolved: bool) -> None:
    """Check that a plan has the fault of `bad`, its drift, and everything about the others."""
    found = {each["name"]: each for each in plan["environments"]}
    assert set(found) == {"bad", "changed", "drifted", "other", "same"}
    bad = found.pop("bad")
    blocked = [each["code"] for each in bad["blocked"]]
    assert blocked == ([way.blocked] if way.blocked and (resolved or not way.failed) else []), bad
    drift = [each["code"] for each in bad["reasons"] if each["origin"] == "drift"]
    assert drift == ([way.drift] if way.drift else []), bad["reasons"]
    assert all(each["message"] for each in bad["blocked"])
    assert not bad["blocked"] or not bad["steps"]
    assert [each["code"] for each in found["drifted"]["reasons"]] == ["files-drifted"]
    assert [each["path"] for each in found["drifted"]["findings"]] or found["drifted"]["packages"]
    assert [each["code"] for each in found["changed"]["reasons"]] == ["settings-changed"]
    assert found["changed"]["settings"]
    assert {found[name]["action"] for name in ("other", "same")} == {"no-op"}
    assert not any(each["blocked"] for each in found.values())


@pytest.mark.parametrize("number", usually(ONE_OF_EACH_KIND, range(len(WAYS))), ids=lambda number: WAYS[number].name)
def test_the_bad_one_is_named_and_the_others_are_reported_in_full(shared: Host, number: int) -> None:
    """The short form has one way for each way to be reported."""
    way, host = WAYS[number], shared
    kept = {published(host, "bad")} - {0}
    with damaged(host, way, number):
        planned = host.envsync("plan", "--detailed-exitcode", "--output", "json")
        assert planned.code == (1 if way.failed else 2), planned.err
        reported(planned.json(), way, resolved=True)

        for form in FORMATS if EVERY_CASE else ("json", FORMATS[number % len(FORMATS)]):
            ran = host.envsync("check", "--output", form)
            assert ran.code == 2, (form, ran.err)
            assert "error" not in ran.err, (form, ran.err)
            for name in ("bad", "drifted", "changed"):
                assert name in ran.out, form
            if form == "json":
                reported(ran.json(), way, resolved=False)

        ran = host.envsync("status", "--output", "json")
        states = {each["name"]: each["state"] for each in json.loads(ran.out)}
        assert ran.code == 0, ran.err
        assert states.pop("bad") in {"blocked", "drift", "missing", "pending"}
        assert states == {"drifted": "drift", "changed": "pending", "other": "ok", "same": "ok"}

        seen = host.directory / "seen.json"
        assert host.envsync("observe", "--out", str(seen)).code == 0
        ran = host.envsync("check", "--actual", str(seen), "--output", "json")
        assert ran.code == 2, ran.err
        reported(ran.json(), way, resolved=False)

        assert host.envsync("check", "other", "same").code == 0, "the others can be selected"

        lock = lock_file(host).read_bytes() if lock_file(host).is_file() else b""
        ran = host.envsync("lock")
        wrong = way.failed or way.locks or way.blocked == NO_PYTHON
        assert ran.code == (1 if wrong else 0), ran.out + ran.err
        if wrong:
            assert len(re.findall(r"^error: .*bad", ran.err, re.MULTILINE)) == 1
            assert (lock_file(host).read_bytes() if lock_file(host).is_file() else b"") == lock

        ran = host.envsync("apply", "--yes", "--output", "json")
        assert ran.code == (4 if way.blocked else 0), ran.out + ran.err
        ended = {name: each["status"] for name, each in finished(ran).items()}
        expected = "blocked" if way.failed or way.blocked else "applied"
        assert ended.pop("bad") == expected
        assert ended == {"drifted": "applied", "changed": "applied", "other": "unchanged", "same": "unchanged"}
        assert kept <= set(generations(host, "bad")) or way.unsealed
    ran = host.envsync("check", "--depth", "hashes")
    assert ran.code == 0, ran.out


@pytest.mark.parametrize(
    ("path", "code"),
    [(lock_file, BAD_LOCK), (record, BAD_STATE), (lambda host: generation(host) / "seal.json", BAD_STATE)],
    ids=["lock", "record", "seal"],
)
def test_a_file_that_the_user_may_not_read_blocks_its_environment(path: Callable[[Host], Path], code: str) -> None:
    with reachable_directory() as directory, new_host(directory) as host:
        python = readable_interpreter(host)
        host.manifest(f"bad: {{python: {python}, packages: [beta]}}\ngood: {{python: {python}, packages: [gamma]}}\n")
        host.apply()
        (host.site_packages("good") / "added.py").write_text("")
        path(host).chmod(0)
        ran = as_other_user(host, "check", "--output", "json")
        assert ran.code == 2, ran.err
        found = {each["name"]: each for each in ran.json()["environments"]}
        assert [each["code"] for each in found["bad"]["blocked"]] == [code]
        assert "permission denied" in found["bad"]["blocked"][0]["message"].lower()
        assert [each["code"] for each in found["good"]["reasons"]] == ["files-drifted"]
        for command in ("plan", "status", "observe"):
            ran = as_other_user(host, command)
            assert ran.code == 0, ran.err
            assert "good" in ran.out
        if code == BAD_STATE:
            ran = as_other_user(host, "verify")
            assert ran.code == 2, ran.err
            assert "Permission denied" in " ".join(ran.out.split())
            assert "Verify: 1 changed, 1 unreadable." in ran.out


def test_what_a_newer_envsync_sealed_is_kept_by_every_command(host: Host) -> None:
    host.manifest('web: {python: "3.11", packages: [beta], keep_generations: 1}\n')
    host.apply()
    seal = generation_of(host, "web") / "seal.json"
    replaced(seal, '"format":1', '"format":2')
    for arguments, code in ((["check"], 2), (["verify"], 2), (["apply", "--yes"], 4), (["gc"], 0), (["plan"], 0)):
        ran = host.envsync(*arguments)
        assert ran.code == code, (arguments, ran.out, ran.err)
        if arguments != ["gc"]:
            assert "was made by a newer envsync" in " ".join(ran.out.split()), arguments
        assert "missing" not in ran.out, arguments
    ran = host.envsync("history", "--generations", "web")
    assert "newer envsync" in " ".join(ran.out.split()), ran.out
    assert host.envsync("destroy", "--yes", "web").code == 4
    host.manifest("")
    ran = host.envsync("check")
    assert ran.code == 2, "an undeclared environment is reported too"
    assert "x web blocked: `.envsync/generations/web/1/seal.json` was made by a newer envsync" in " ".join(
        ran.out.split()
    )
    assert host.envsync("apply", "--yes", "--allow-empty").code == 4
    assert (generations(host, "web"), published(host, "web")) == ([1], 1)
    host.manifest('web: {python: "3.11", packages: [beta], keep_generations: 1}\n')
    replaced(seal, '"format":2', '"format":1')
    assert host.envsync("check").code == 0


def test_a_generation_that_a_newer_envsync_sealed_is_not_collected(host: Host) -> None:
    host.manifest('web: {python: "3.11", packages: [alpha==1.0], keep_generations: 1}\n')
    assert host.envsync("apply", "--yes", "--no-gc").code == 0
    newer = generation_of(host, "web")
    host.manifest('web: {python: "3.11", packages: [alpha==1.1], keep_generations: 1}\n')
    assert host.envsync("apply", "--yes", "--no-gc").code == 0
    replaced(newer / "seal.json", '"format":1', '"format":2')
    assert host.envsync("gc").code == 0
    assert generations(host, "web") == [1, 2]
    ran = host.envsync("rollback", "web", "--to", "1")
    assert ran.code == 1
    assert "newer envsync" in ran.err
    assert "use the envsync that made it" in ran.err


def test_a_damaged_seal_is_reported_as_damaged_and_repaired_by_a_new_generation(host: Host) -> None:
    host.manifest('web: {python: "3.11", packages: [beta]}\n')
    host.apply()
    (generation_of(host, "web") / "seal.json").write_text("{")
    for command in ("check", "verify"):
        ran = host.envsync(command)
        assert ran.code == 2, ran.err
        assert "its seal is damaged" in " ".join(ran.out.split())
        assert "missing" not in ran.out
    assert " drift " in host.envsync("status").out
    host.apply()
    assert generations(host, "web") == [1, 2], "the old one is kept for inspection"


def test_a_selection_does_not_read_the_files_of_the_others(host: Host) -> None:
    host.manifest(
        'bad: {python: "3.99", requirements: [bad.txt]}\ngood: {python: "3.11", packages: [beta]}\n'
        'both: {python: "3.11", packages: [gamma]}\n'
    )
    (host.directory / "bad.txt").write_text("beta\n")
    host.apply("good")
    (host.directory / "bad.txt").write_text("--what\n")
    (host.directory / "locks/pylock.bad.toml").write_text("<<<")
    (host.root / ".envsync/environments/bad.json").write_text("{")
    for arguments in (["plan", "good"], ["check", "good"], ["lock", "good"], ["status", "good"], ["observe", "good"]):
        ran = host.envsync(*arguments)
        assert ran.code == 0, (arguments, ran.out, ran.err)
    host.apply("good")
    for arguments in (["verify", "good"], ["history", "good"], ["freeze", "good"], ["gc"]):
        assert host.envsync(*arguments).code == 0, arguments
    ran = host.envsync("plan")
    assert ran.code == 3
    assert "bad.txt:1" in ran.err


def test_an_optional_version_is_skipped_with_a_note_until_it_was_applied(host: Host) -> None:
    def declare(python: str) -> None:
        host.manifest(
            f'test: {{matrix: {{python: ["3.11", "{python}"], if_available: true}}, packages: [beta]}}\n'
            'web: {python: "3.11", packages: [gamma], depends_on: [test]}\n'
        )

    declare("3.99")
    note = "note: `test-py399` was skipped: no python 3.99 on this machine (`if_available`)\n"
    ran = host.envsync("lock")
    assert (ran.code, note in ran.err) == (0, True), ran.err
    ran = host.envsync("apply", "--yes", "--locked")
    assert (ran.code, note in ran.err) == (0, True), ran.out + ran.err
    for command in ("plan", "check", "status"):
        ran = host.envsync(command)
        assert (ran.code, note in ran.err) == (0, True), ran.err
        assert "test-py399" not in ran.out
    assert host.envsync("plan", "--output", "json").json()["notes"] == [note.removeprefix("note: ").strip()]
    assert host.envsync("lock", "--check").code == 0
    seen = host.directory / "seen.json"
    assert host.envsync("observe", "--out", str(seen)).code == 0
    assert host.envsync("check", "--actual", str(seen)).code == 0

    declare("3.12")
    host.apply()
    state = host.root / ".envsync/environments/test-py312.json"
    state.rename(state.with_name("test-py399.json"))
    (host.root / ".envsync/generations/test-py312").rename(host.root / ".envsync/generations/test-py399")
    (host.root / "test-py312").unlink()
    (host.root / "test-py399").symlink_to(".envsync/generations/test-py399/1/venv")
    for path in (state.with_name("test-py399.json"), generation_of(host, "test-py399") / "seal.json"):
        write_stored(path, json.loads(json.dumps(stored_in(path)).replace("test-py312", "test-py399")))
    declare("3.99")
    ran = host.envsync("check")
    assert ran.code == 2, "one that was applied is not skipped, and not deleted"
    assert "x test-py399 blocked: no python 3.99 (envs.yaml:" in ran.out
    assert host.envsync("apply", "--yes").code == 4
    assert published(host, "test-py399") == 1


def test_locks_that_can_be_made_are_written(host: Host) -> None:
    host.manifest(
        'bad: {python: "3.99", packages: [beta]}\nfull: {python: "3.11", packages: [beta]}\n'
        'good: {python: "3.11", packages: [gamma]}\n'
    )
    (host.directory / "locks").mkdir()
    (host.directory / "locks/pylock.full.toml").mkdir()
    ran = host.envsync("lock")
    assert ran.code == 1
    assert "good: wrote pylock.good.toml" in ran.err
    assert "error: bad: no interpreter on this machine satisfies python `3.99`" in ran.err
    assert "error: full: " in ran.err


def test_locked_names_every_lock_that_is_not_fresh(host: Host) -> None:
    host.manifest('a: {python: "3.11", packages: [beta]}\nb: {python: "3.11"}\nc: {python: "3.11"}\n')
    host.envsync("lock", "a")
    host.manifest('a: {python: "3.11", packages: [gamma]}\nb: {python: "3.11"}\nc: {python: "3.11"}\n')
    ran = host.envsync("plan", "--locked")
    assert ran.code == 3
    expected = "`pylock.b.toml`, `pylock.c.toml` are missing, and `pylock.a.toml` is out of date, but `--locked` and"
    assert expected in " ".join(ran.err.split())


@pytest.mark.parametrize("protected", ["true", "false"])
def test_a_kept_environment_is_compared_with_its_seal(protected: str, host: Host) -> None:
    host.manifest(
        f'old: {{python: "3.11", packages: [gamma], prevent_destroy: {protected}}}\nweb: {{python: "3.11"}}\n'
    )
    host.apply()
    host.manifest('web: {python: "3.11"}\n')
    prune = [] if protected == "true" else ["--no-prune"]
    assert host.envsync("check", *prune).code == (2 if protected == "true" else 0)
    (host.root / "old").unlink()
    ran = host.envsync("check", "--output", "json", *prune)
    assert ran.code == 2
    old = next(each for each in ran.json()["environments"] if each["name"] == "old")
    assert "gone" in [each["code"] for each in old["reasons"]]
    assert old["blocked"]
    assert "old: restored, generation 1 is published again" in host.envsync("rollback", "old").out
    (host.site_packages("old") / "gamma/__init__.py").unlink()
    ran = host.envsync("check", "--output", "json", *prune)
    assert ran.code == 2
    old = next(each for each in ran.json()["environments"] if each["name"] == "old")
    assert "files-drifted" in [each["code"] for each in old["reasons"]]
    assert old["blocked"]
    ran = host.envsync("check", "--only", "drift", *prune)
    assert ran.code == 2
    assert "gamma" in ran.out
    assert host.envsync("apply", "--yes", *prune).code == 4
    assert published(host, "old") == 1
