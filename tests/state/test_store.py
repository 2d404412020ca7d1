"""Who owns an environment and what is published, by the symbolic link, the seal and the record."""

import json
import os
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from reconciler.errors import DamagedStateError, NewerFormatError, StateError
from reconciler.state.applied_json import applied_to_json
from reconciler.state.applied_names import applied_names_hint
from reconciler.state.published_generation import PublishedGeneration
from reconciler.state.store import State
from tests.state.edited import stored_in, write_stored
from tests.state.generations import new_generation
from tests.state.records import applied, publish, seal_of, sealed
from tests.unprivileged import reachable_directory, unprivileged


@pytest.fixture
def state(tmp_path: Path) -> State:
    return State.at(tmp_path)


def test_a_missing_root_has_no_state(tmp_path: Path) -> None:
    state = State.at(tmp_path / "root")
    assert state.last_applied() == {}
    assert state.applied("web") is None
    assert state.published("web") is None
    assert state.seal("web", 1) is None
    assert not (tmp_path / "root").exists()


def test_a_published_environment_has_the_state_in_its_record(state: State) -> None:
    digest = sealed(state.layout, applied())
    publish(state.layout, "web", 1)
    record = applied(seal=digest, prevent_destroy=True)
    state.record(record)
    assert state.applied("web") == record
    assert state.last_applied() == {"web": record}
    generation = state.layout.generation("web", 1)
    assert state.published("web") == PublishedGeneration(
        generation=1,
        venv=generation.venv,
        inventory=generation.inventory,
        seal=digest,
        home="/usr/bin",
        system_site_packages=False,
        inventory_digest="sha256:inventory",
    )


def test_after_a_kill_between_publish_and_record_the_seal_counts(state: State) -> None:
    state.record(applied(seal=sealed(state.layout, applied())))
    digest = sealed(state.layout, applied(generation=2, installed={"alpha": "2.0"}, hooks_pending=True))
    publish(state.layout, "web", 2)
    assert state.applied("web") == applied(generation=2, installed={"alpha": "2.0"}, seal=digest, hooks_pending=True)


def test_the_seal_counts_if_the_record_is_lost(state: State) -> None:
    digest = sealed(state.layout, applied())
    publish(state.layout, "web", 1)
    assert state.last_applied() == {"web": applied(seal=digest)}


def test_a_record_without_a_link_counts(state: State) -> None:
    record = applied(seal=sealed(state.layout, applied()))
    state.record(record)
    assert state.applied("web") == record
    assert state.published("web") is None


def test_a_record_counts_next_to_a_foreign_link(state: State) -> None:
    state.record(applied())
    state.layout.environment("web").symlink_to("/usr")
    assert state.applied("web") == applied()


def test_a_link_to_an_unfinished_generation_does_not_count(state: State) -> None:
    state.record(applied(seal=sealed(state.layout, applied())))
    state.layout.generation("web", 2).venv.mkdir(parents=True)
    publish(state.layout, "web", 2)
    assert state.applied("web") == applied(seal=state.seal("web", 1).digest)  # type: ignore[union-attr]
    assert state.published("web") is None
    state.forget("web")
    assert state.applied("web") is None


def test_a_deleted_environment_is_unknown_although_it_has_generations(state: State) -> None:
    state.record(applied(seal=sealed(state.layout, applied())))
    state.forget("web")
    assert state.last_applied() == {}
    assert state.seal("web", 1) is not None


def test_a_seal_of_a_different_environment_or_generation_is_damage(state: State) -> None:
    sealed(state.layout, applied())
    stored = stored_in(state.layout.generation("web", 1).seal)
    for name, number in (("api", 1), ("web", 2)):
        copied = state.layout.generation(name, number)
        copied.venv.mkdir(parents=True)
        write_stored(copied.seal, stored)
        publish(state.layout, name, number)
        with pytest.raises(DamagedStateError, match="it is the seal of generation 1 of `web`"):
            state.seal(name, number)
        published = state.published(name)
        assert published is not None
        assert (published.damaged, published.seal) == (True, "")
        assert not published.unreadable.startswith("/")
    assert state.last_applied() == {}
    assert {name: each.applied for name, each in state.read()[1].items()} == {"api": None, "web": None}


def test_number_zero_has_no_seal(state: State) -> None:
    assert state.seal("web", 0) is None


def test_unknown_files_are_ignored(state: State) -> None:
    state.record(applied())
    for name in (".web.json.123.tmp", "README", "x.json~", ".json"):
        (state.layout.records / name).write_text("{")
    (state.layout.envsync_directory / "generations").mkdir()
    (state.layout.envsync_directory / "generations" / ".DS_Store").write_text("")
    (state.layout.envsync_directory / "generations" / "stray").mkdir()
    assert list(state.last_applied()) == ["web"]


def test_a_number_is_never_used_twice(state: State) -> None:
    assert [new_generation(state, "web").number for _ in range(3)] == [1, 2, 3]
    assert new_generation(state, "api").number == 1
    shutil.rmtree(state.layout.generation("web", 2).directory)
    assert new_generation(state, "web").number == 4


@pytest.mark.parametrize("lost", ["directories", "record", "link"])
def test_a_number_in_a_record_or_a_link_is_not_used(lost: str, state: State) -> None:
    if lost != "record":
        state.record(applied(generation=7))
    if lost != "link":
        publish(state.layout, "web", 7)
    assert new_generation(state, "web").number == 8


def test_a_new_generation_has_an_empty_venv_and_its_identity_mark(state: State) -> None:
    generation = new_generation(state, "web")
    assert set(generation.directory.iterdir()) == {generation.venv, generation.identity}
    assert list(generation.venv.iterdir()) == []


@pytest.mark.parametrize("link", [".envsync", ".envsync/generations", ".envsync/generations/web"])
def test_no_generation_is_created_or_read_through_a_link(link: str, state: State, tmp_path: Path) -> None:
    digest = sealed(state.layout, applied())
    assert state.seal("web", 1) is not None
    outside = tmp_path.with_name(f"{tmp_path.name}-outside")
    (state.layout.root / link).rename(outside)
    (state.layout.root / link).symlink_to(outside)
    before = sorted(outside.rglob("*"))
    why = r"\.envsync` is a symbolic link" if link == ".envsync" else "its path contains a symbolic link"
    with pytest.raises(StateError, match=why):
        new_generation(state, "web")
    assert sorted(outside.rglob("*")) == before
    if link.endswith("web"):
        assert state.seal("web", 1) is None, digest


def test_a_record_is_replaced_atomically_and_can_be_forgotten_twice(state: State) -> None:
    state.record(applied())
    state.record(replace(applied(), prevent_destroy=True))
    assert state.applied("web") == applied(prevent_destroy=True)
    assert [path.name for path in state.layout.records.iterdir()] == ["web.json"]
    state.forget("web")
    state.forget("web")
    assert state.applied("web") is None
    State.at(state.layout.root / "elsewhere").forget("web")


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("", "is damaged: Expecting value"),
        ("{", "is damaged: Expecting property name"),
        ("[]", "is damaged: it has no known format"),
        ("null", "is damaged: it has no known format"),
        ('{"format": 1, "applied": {}}', "is damaged: it was not written by envsync as this user in this root"),
        ({"format": 1}, "is damaged: not a record of an applied environment"),
        ({"format": 1, "applied": {}}, "is damaged: not a record of an applied environment"),
        ({"format": 1, "applied": []}, "is damaged: not a record of an applied environment"),
        (
            '{"format": 3, "applied": {}}',
            "was made by a newer envsync: its format is 3, but this envsync reads format 2",
        ),
        ("[" * 100_000, "is damaged: maximum recursion"),
        ("COPY", "is damaged: it was not written by envsync as this user in this root"),
        (
            {"format": 1, "applied": applied_to_json(applied("api"))},
            "is damaged: it is the record of the environment `api`",
        ),
    ],
)
def test_a_record_that_cannot_be_read_is_an_error_of_its_environment(
    content: str | dict[str, Any], why: str, state: State
) -> None:
    state.record(applied("api"))
    if content == "COPY":
        content = state.layout.record("api").read_text()
    if isinstance(content, str):
        state.layout.record("web").write_text(content)
    else:
        write_stored(state.layout.record("web"), content)
    for read in (lambda: state.applied("web"), lambda: new_generation(state, "web")):
        with pytest.raises(StateError) as caught:
            read()
        assert caught.value.message.startswith(f"`{state.layout.record('web')}` {why}")
        assert caught.value.hint == (
            "use the envsync that made it, or a newer one"
            if "newer" in why
            else "restore the file from a backup, or delete it: envsync then reads the seal instead"
        )
    readable, unreadable = state.read()
    assert readable == state.last_applied() == {"api": applied("api")}
    assert list(unreadable) == ["web"]


def test_of_record_and_seal_the_one_that_can_be_read_says_what_is_known(state: State) -> None:
    digest = sealed(state.layout, applied())
    publish(state.layout, "web", 1)
    state.record(applied(seal=digest))
    record, seal = state.layout.record("web"), state.layout.generation("web", 1).seal
    good = {path: path.read_text() for path in (record, seal)}
    for path in (record, seal):
        path.write_text(good[path].replace('"format":1', '"format":3'))
        readable, unreadable = state.read()
        assert (readable, unreadable["web"].applied) == ({}, applied(seal=digest))
        assert isinstance(unreadable["web"].error, NewerFormatError)
        path.write_text(good[path])
    seal.write_text("{")
    assert state.read() == ({"web": applied(seal=digest)}, {}), "a damaged seal is drift"
    record.write_text("{")
    assert state.read()[1]["web"].applied is None
    seal.unlink()
    record.write_text(good[record])
    published = state.published("web")
    assert published is not None
    assert published.unreadable == "`.envsync/generations/web/1/seal.json` is missing"
    state.layout.generation("web", 1).venv.rmdir()
    assert state.published("web") is None, "the generation is gone"


def test_an_unreadable_record_does_not_affect_others(state: State) -> None:
    state.record(applied("api"))
    state.layout.record("web").write_text("{")
    assert state.applied("api") == applied("api")


def test_a_read_only_root_is_read_and_not_written() -> None:
    with reachable_directory() as root:
        state = State.at(root)
        state.record(applied(seal=sealed(state.layout, applied())))
        publish(state.layout, "web", 1)
        for path in (root, *root.rglob("*")):
            if not path.is_symlink():
                path.chmod(0o555 if path.is_dir() else 0o444)
        if os.geteuid() == 0:
            os.chown(root, 65534, 65534)  # the root of a different user is refused for that reason
        try:
            with unprivileged():
                assert list(state.last_applied()) == ["web"]
                assert state.published("web") is not None
                writes: list[Any] = [
                    lambda: state.record(applied()),
                    lambda: state.forget("web"),
                    lambda: new_generation(state, "web"),
                    lambda: state.acquire_mutex(timeout=0).__enter__(),
                ]
                for write in writes:
                    with pytest.raises(StateError, match="Permission denied"):
                        write()
        finally:
            for path in (root, *(each for each in root.rglob("*") if each.is_dir())):
                path.chmod(0o755)


def test_a_record_without_read_permission_is_an_error() -> None:
    with reachable_directory() as root:
        state = State.at(root)
        state.record(applied())
        state.layout.record("web").chmod(0)
        with unprivileged(), pytest.raises(StateError, match="could not be read: Permission denied"):
            state.applied("web")
        with unprivileged():
            assert list(state.read()[1]) == ["web"]
        state.layout.records.chmod(0)
        with unprivileged(), pytest.raises(StateError, match="environments: Permission denied"):
            state.last_applied()
        state.layout.records.chmod(0o755)


def test_equal_records_differ_only_in_their_code_in_every_root(state: State, tmp_path: Path) -> None:
    other = State.at(tmp_path / "other")
    for each in (state, other):
        each.record(applied(installed={"b": "1", "a": "2"}, accepted=frozenset("xyz")))
    contents = [json.loads(each.layout.record("web").read_bytes()) for each in (state, other)]
    codes = {each.pop("authentication") for each in contents}
    assert contents[0] == contents[1]
    assert contents[0]["format"] == 1
    assert len(codes) == 2
    assert seal_of(applied()).digest == ""


@pytest.mark.parametrize(
    ("names", "applied", "hint"),
    [
        (["wbe"], ["jobs", "web"], "did you mean `web`?"),
        (["x", "wbe"], ["jobs", "web"], "did you mean `web`?"),
        (["x"], ["web", "jobs"], "choose from the applied environments: `jobs`, `web`"),
        (["x"], [], None),
    ],
)
def test_the_hint_for_an_environment_that_was_never_applied(
    names: list[str], applied: list[str], hint: str | None
) -> None:
    assert applied_names_hint(names, applied) == hint
