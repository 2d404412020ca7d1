"""A rename on disk: what belongs to whom at every moment, what a killed run leaves, and what is not believed."""

import os
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from reconciler.apply import rename
from reconciler.apply.collect import remove_generation
from reconciler.apply.collected_path import MOST_LINKS, keep_paths
from reconciler.apply.publish import publish
from reconciler.apply.recover import recover
from reconciler.apply.rename import finish_renames, rename_environment
from reconciler.errors import ApplyError, DamagedStateError
from reconciler.observe.actual import Depth, Occupant
from reconciler.observe.environment import observe_environment
from reconciler.state.applied import Applied
from reconciler.state.inode_hashes import InodeHashes
from reconciler.state.layout import Layout
from reconciler.state.rename_conflict import first_conflicts
from reconciler.state.seal import write_seal
from reconciler.state.store import State
from tests.state.edited import stored_in, write_stored
from tests.state.generations import collect_garbage, new_generation
from tests.state.records import applied, seal_of


class KilledError(Exception):
    pass


@pytest.fixture
def state(tmp_path: Path) -> State:
    """Return a state with generations 1 and 2 of `web`; 2 is published."""
    found = State.at(tmp_path / "root")
    for number in (1, 2):
        made = new_generation(found, "web")
        last = sealed(found.layout, applied(generation=made.number))
        assert made.number == number
    publish(found.layout, "web", 2)
    found.record(replace(last, rolled_back_from=3))  # unlike what its seal says
    return found


def sealed(layout: Layout, what: Applied) -> Applied:
    """Seal a generation that was made, and return what is applied when it is published."""
    return replace(what, seal=write_seal(seal_of(what), layout.generation(what.name, what.generation).seal))


def renamed(state: State, old: str = "web", new: str = "site") -> None:
    last = state.applied(old)
    assert last is not None
    rename_environment(state, old, replace(last, name=new, built_as=""))


def killed_in(state: State, function: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rename `web` to `site` by a run that is killed when it calls a function."""

    def killed(*_arguments: object) -> None:
        raise KilledError

    with monkeypatch.context() as patched:
        patched.setattr(rename, function, killed)
        with pytest.raises(KilledError):
            renamed(state)


def owned(state: State) -> dict[str, list[int]]:
    names = sorted(each.name for each in state.layout.all_generations.iterdir())
    return {name: numbers for name in names if (numbers := state.layout.generation_numbers(name))}


def test_the_new_name_has_everything_and_the_old_path_points_to_it(state: State) -> None:
    before = state.applied("web")
    assert before is not None
    renamed(state)
    assert owned(state) == {"site": [1, 2]}
    assert (list(state.last_applied()), state.layout.published_number("site")) == (["site"], 2)
    assert state.applied("site") == replace(before, name="site", built_as="web")
    assert os.path.realpath(state.layout.environment("web")) == os.path.realpath(state.layout.environment("site"))
    assert state.layout.renamed_to("web") == "site"
    assert state.layout.generation("site", 2).directory == state.layout.generations("web") / "2"
    seal = state.seal("site", 1)
    assert seal is not None
    assert (seal.applied.name, seal.applied.generation) == ("site", 1)
    assert new_generation(state, "site").number == 3
    assert new_generation(state, "web").number == 3, "1 and 2 are not used again"


@pytest.mark.parametrize(
    "function", ["_finish", "_give_away", "publish", "leave_former_path", "redirect_paths", "sync_filesystem"]
)
def test_a_run_killed_at_any_point_is_finished_and_readers_see_one_name(
    function: str, state: State, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = state.applied("web")
    assert before is not None
    killed_in(state, function, monkeypatch)
    seen = list(state.last_applied())
    assert seen == (["site"] if state.layout.published_number("site") else ["web"])
    assert all(state.published(name) is not None for name in seen)
    assert state.layout.environment("web").exists()
    recover(state, locks=None)
    assert owned(state) == {"site": [1, 2]}
    assert list(state.last_applied()) == ["site"]
    assert state.applied("site") == replace(before, name="site", built_as="web")
    assert (state.layout.published_number("site"), state.layout.renamed_to("web")) == (2, "site")
    assert not os.path.lexists(state.layout.rename_journal("site"))
    finish_renames(state)
    assert list(state.last_applied()) == ["site"]


def test_a_rename_that_was_killed_may_be_repeated(state: State, monkeypatch: pytest.MonkeyPatch) -> None:
    killed_in(state, "_finish", monkeypatch)
    (state.layout.generation("web", 1).directory / "renamed.new").symlink_to("other")  # it was killed there too
    renamed(state)
    assert owned(state) == {"site": [1, 2]}
    assert (list(state.last_applied()), state.layout.published_number("site")) == (["site"], 2)


def test_a_rename_and_back_leaves_no_mark_and_no_link(state: State) -> None:
    before = {name: sorted(os.listdir(state.layout.generations("web") / name)) for name in ("1", "2")}
    renamed(state)
    renamed(state, "site", "web")
    assert owned(state) == {"web": [1, 2]}
    assert {name: sorted(os.listdir(state.layout.generations("web") / name)) for name in ("1", "2")} == before
    assert (list(state.last_applied()), state.layout.published_number("web")) == (["web"], 2)
    assert state.layout.renamed_to("site") == "web"


def test_an_environment_that_is_not_published_is_renamed_without_a_path(state: State) -> None:
    state.layout.environment("web").unlink()
    renamed(state)
    assert owned(state) == {"site": [1, 2]}
    assert not os.path.lexists(state.layout.environment("site"))
    assert not os.path.lexists(state.layout.environment("web"))


def test_an_environment_whose_generations_are_gone_is_renamed(state: State) -> None:
    shutil.rmtree(state.layout.all_generations)
    renamed(state)
    assert (list(state.last_applied()), state.layout.renamed_to("web")) == (["site"], "site")


def test_nothing_behind_a_link_is_marked_as_renamed(state: State, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (state.layout.generations("web") / "3").symlink_to(tmp_path / "elsewhere")
    renamed(state)
    assert os.listdir(tmp_path / "elsewhere") == []
    assert owned(state)["site"] == [1, 2]


def test_a_rename_that_cannot_be_finished_is_an_error_and_is_finished_later(
    state: State, monkeypatch: pytest.MonkeyPatch
) -> None:
    killed_in(state, "_finish", monkeypatch)
    in_the_way = state.layout.generation("web", 1).directory / "renamed.new"
    in_the_way.mkdir()
    with pytest.raises(OSError, match=r"renamed\.new"):
        recover(state, locks=None)
    assert state.layout.rename_journal("site").is_symlink()
    in_the_way.rmdir()
    recover(state, locks=None)
    assert (owned(state), list(state.last_applied())) == ({"site": [1, 2]}, ["site"])


def test_a_journal_that_envsync_did_not_make_stops_no_other(state: State, monkeypatch: pytest.MonkeyPatch) -> None:
    killed_in(state, "_finish", monkeypatch)
    layout = state.layout
    layout.rename_journal("file").touch()
    layout.rename_journal("Bad name").symlink_to("web")
    layout.rename_journal("other").symlink_to("../web")
    finish_renames(state)
    assert owned(state) == {"site": [1, 2]}
    assert not os.path.lexists(layout.rename_journal("site"))
    assert all(os.path.lexists(layout.rename_journal(each)) for each in ("file", "Bad name", "other"))


def test_a_link_alone_gives_no_generation_away(state: State) -> None:
    """Only the mark in the generation itself makes it one of a different environment."""
    directory = state.layout.generations("thief")
    directory.mkdir()
    (directory / "2").symlink_to("../web/2")
    assert state.layout.generation("thief", 2).directory == directory / "2"
    assert (state.layout.generation_numbers("thief"), state.layout.generation_numbers("web")) == ([], [1, 2])
    assert state.seal("thief", 2) is None
    (state.layout.generations("web") / "2/renamed").symlink_to("other")
    assert state.seal("thief", 2) is None
    assert state.layout.generation_numbers("web") == [1]


def test_a_copied_seal_of_a_renamed_generation_is_damage(state: State) -> None:
    renamed(state)
    copy = new_generation(state, "site")
    copied = state.layout.generation("site", 2).seal
    copy.seal.write_bytes(copied.read_bytes())
    with pytest.raises(DamagedStateError, match="it was not written by envsync as this user in this root"):
        state.seal("site", copy.number)
    write_stored(copy.seal, stored_in(copied))
    with pytest.raises(DamagedStateError, match="it is the seal of generation 2 of `web`"):
        state.seal("site", copy.number)


def test_something_else_at_the_new_path_and_equal_numbers_are_refused_before_anything_changes(state: State) -> None:
    state.layout.environment("site").mkdir()
    with pytest.raises(ApplyError, match="is not managed by envsync"):
        renamed(state)
    state.layout.environment("site").rmdir()
    new_generation(state, "site")
    assert first_conflicts(state.layout, {"site": "web", "free": "web"}) == {"site": 1}
    with pytest.raises(ApplyError) as caught:
        renamed(state)
    assert (caught.value.message, caught.value.hint) == (
        "`site` already has generation 1",
        "choose a different name",
    )
    assert not os.path.lexists(state.layout.rename_journal("site"))
    assert (list(state.last_applied()), state.layout.generation_numbers("web")) == (["web"], [1, 2])


def test_a_renamed_generation_is_collected_and_its_paths_point_to_what_is_published(state: State) -> None:
    renamed(state)
    made = new_generation(state, "site")
    last = sealed(state.layout, applied("site", made.number, settings={"keep_generations": 1}))
    publish(state.layout, "site", made.number)
    state.record(last)
    collect_garbage(state)
    assert owned(state) == {"site": [3]}
    for path in (state.layout.generations("web") / "1/venv", state.layout.generations("web") / "2/venv"):
        assert path.resolve() == made.venv
    assert not os.path.lexists(state.layout.environment("web"))
    collect_garbage(state)
    assert sorted(os.listdir(state.layout.generations("site"))) == ["3", "current"]
    assert sorted(os.listdir(state.layout.generations("web"))) == ["1", "2"]


def test_links_that_were_made_before_the_rename_point_to_the_new_name(state: State) -> None:
    remove_generation(state.layout, state.layout.generation("web", 1))
    keep_paths(state.layout, "web", {1: "current"}, gone=())
    renamed(state)
    assert (state.layout.generations("web") / "1").readlink() == Path("../site/current")
    assert (state.layout.generations("web") / "1/venv").resolve() == state.layout.generation("site", 2).venv
    assert not (state.layout.generations("web") / "current").exists()


def test_links_to_a_new_name_are_bounded(state: State) -> None:
    renamed(state)
    keep_paths(state.layout, "web", dict.fromkeys(range(3, 150), "../site/current"), gone=())
    assert len(state.layout.collected_numbers("web")) == MOST_LINKS


def test_a_former_path_is_free_for_a_new_environment(state: State) -> None:
    renamed(state)
    path = state.layout.environment("web")
    seen = observe_environment(path, name="web", published=None, depth=Depth.FILES, inodes=InodeHashes())
    assert (seen.occupant, seen.findings) == (Occupant.ABSENT, ())
    made = new_generation(state, "web")
    sealed(state.layout, applied(generation=made.number))
    publish(state.layout, "web", made.number)
    assert (state.layout.published_number("web"), state.layout.renamed_to("web")) == (3, "")


@pytest.mark.parametrize("text", ["site", "/etc", ".envsync/../Site", ".envsync/../", ".envsync/../../x"])
def test_only_our_own_text_is_a_former_path(text: str, state: State) -> None:
    renamed(state)
    path = state.layout.environment("web")
    path.unlink()
    path.symlink_to(text)
    assert state.layout.renamed_to("web") == ""
    collect_garbage(state)
    assert os.readlink(path) == text  # noqa: PTH115  # the text itself
    with pytest.raises(ApplyError):
        publish(state.layout, "web", 1)
