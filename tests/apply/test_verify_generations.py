"""The state of a kept generation in one word, and what is wrong with it."""

from typing import Any

import pytest

from reconciler.apply.verify_generations import GenerationState, VerifiedGeneration, _members, verify_generations
from reconciler.apply.verify_seal import verify_generation, verify_published
from reconciler.diff.integrity import Integrity
from reconciler.generation_list import sealed_generations
from reconciler.maintenance import Maintenance
from reconciler.observe.actual import Depth, Finding, FindingCode
from reconciler.state.inode_hashes import InodeHashes
from tests.apply.bench import Bench
from tests.apply.bench import bench as bench
from tests.apply.fake_uv import SITE

INTACT = Integrity(name="web", generation=1, exists=True, packages=(), findings=())
CHANGED = Integrity(
    name="web",
    generation=1,
    exists=True,
    packages=(),
    findings=(Finding(code=FindingCode.FILE_ADDED, path="bin/x", detail="was added"),),
)
UNREADABLE = Integrity(name="web", generation=1, exists=True, packages=(), findings=(), problem="its seal is damaged")


@pytest.mark.parametrize(
    ("given", "state", "problem"),
    [
        ({"integrity": INTACT}, GenerationState.KEPT, ""),
        ({"integrity": INTACT, "published": True}, GenerationState.PUBLISHED, ""),
        (
            {"integrity": CHANGED, "published": True},
            GenerationState.DAMAGED,
            "differs from its seal: `bin/x`: was added",
        ),
        ({"integrity": CHANGED, "drifted": True}, GenerationState.DRIFTED, "differs from its seal: `bin/x`: was added"),
        ({"integrity": INTACT, "drifted": True}, GenerationState.DRIFTED, ""),
        ({"integrity": INTACT, "drifted": True, "failed": "a hook"}, GenerationState.FAILED, "failed: a hook"),
        ({"integrity": UNREADABLE, "failed": "a hook"}, GenerationState.UNREADABLE, "its seal is damaged"),
        ({"integrity": UNREADABLE, "newer": True}, GenerationState.NEWER, "its seal is damaged"),
    ],
)
def test_the_first_state_that_applies_counts(given: dict[str, Any], state: GenerationState, problem: str) -> None:
    found = VerifiedGeneration(**given)
    assert (found.state, found.problem) == (state, problem)


def unreadable(number: int, problem: str) -> Integrity:
    return Integrity(name="web", generation=number, exists=True, packages=(), findings=(), problem=problem)


def intact(number: int) -> Integrity:
    return Integrity(name="web", generation=number, exists=True, packages=(), findings=())


NEWER = "was made by a newer envsync: its format is 99, but this envsync reads format 1"


@pytest.mark.parametrize("number", [1, 2])
def test_a_generation_that_a_newer_envsync_sealed_is_reported_published_or_not(number: int, bench: Bench) -> None:
    bench.applied(env={"A": "a"})
    bench.applied(env={"A": "b"})
    bench.state.layout.generation("web", number).seal.write_text('{"format": 99}')
    found = verify_generations(bench.state, [("web", 1), ("web", 2)], InodeHashes())
    expected = [VerifiedGeneration(integrity=intact(1)), VerifiedGeneration(integrity=intact(2), published=True)]
    problem = f"`.envsync/generations/web/{number}/seal.json` {NEWER}"
    expected[number - 1] = VerifiedGeneration(integrity=unreadable(number, problem), published=number == 2, newer=True)
    assert found == expected
    assert found[number - 1].state is GenerationState.NEWER


def test_a_generation_that_cannot_be_read_is_reported_and_one_that_is_gone_is_left_out(bench: Bench) -> None:
    bench.applied(env={"A": "a"})
    bench.applied(env={"A": "b"})
    generation = bench.state.layout.generation("web", 1)
    content = generation.seal.read_bytes()
    generation.seal.write_text("{")
    bench.state.new_generation("web", above=0, adopting=False)  # it is not complete
    asked = [("web", number) for number in (1, 2, 3, 7)]
    first, second = verify_generations(bench.state, asked, InodeHashes())
    assert second == VerifiedGeneration(integrity=intact(2), published=True)
    assert first == VerifiedGeneration(integrity=unreadable(1, first.integrity.problem))
    assert first.integrity.problem.startswith("`.envsync/generations/web/1/seal.json` is damaged: ")
    generation.seal.write_bytes(content)
    generation.failed.write_text("a hook failed\n")
    generation.drifted.touch()
    [found] = verify_generations(bench.state, [("web", 1)], InodeHashes())
    assert found == VerifiedGeneration(integrity=intact(1), drifted=True, failed="a hook failed")


def test_a_published_generation_whose_record_cannot_be_read_is_not_of_a_newer_envsync(bench: Bench) -> None:
    bench.applied()
    bench.state.layout.record("web").write_text("{")
    [found] = verify_generations(bench.state, [("web", 1)], InodeHashes())
    problem = found.integrity.problem
    assert problem.startswith("`.envsync/environments/web.json` is damaged: ")
    assert found == VerifiedGeneration(integrity=unreadable(1, problem), published=True)


def test_edits_that_generations_share_are_said_of_each(bench: Bench) -> None:
    for value in ("a", "b", "c"):
        bench.applied(env={"A": value})
    modules = [bench.state.layout.generation("web", number).venv / SITE / "tool.py" for number in (1, 2, 3)]
    for module in modules[1:]:
        module.unlink()
        module.hardlink_to(modules[0])
    modules[0].write_text("edited")
    found = verify_generations(bench.state, [("web", number) for number in (1, 2, 3)], InodeHashes())
    shared = f"one edit is shared by generations 1, 2 and 3 of `web` (hard links to one file): `{SITE}/tool.py`"
    assert [each.shared for each in found] == [(shared,)] * 3
    [alone] = verify_generations(bench.state, [("web", 2)], InodeHashes())
    assert alone.shared == ()


@pytest.mark.parametrize(
    ("members", "words"),
    [
        ([("web", 1), ("web", 2)], "generations 1 and 2 of `web`"),
        ([("api", 3), ("web", 1), ("web", 2)], "generation 3 of `api` and generations 1 and 2 of `web`"),
    ],
)
def test_generations_are_listed_by_environment(members: list[tuple[str, int]], words: str) -> None:
    assert _members(members) == words


def test_modes_count_for_what_is_published_and_on_request(bench: Bench) -> None:
    bench.applied()
    bench.state.layout.generation("web", 1).directory.chmod(0o700)
    closed = verify_generation(bench.state, "web", 1, InodeHashes())
    assert [each.code for each in closed.findings] == [FindingCode.ACCESS_NARROWED]
    assert verify_generation(bench.state, "web", 1, InodeHashes(), modes=False).intact


def test_modes_do_not_count_for_a_generation_that_is_only_kept(bench: Bench) -> None:
    for value in ("a", "b"):
        bench.applied(env={"A": value})
    for number in (1, 2):
        bench.state.layout.generation("web", number).directory.chmod(0o700)
    kept, published = verify_generations(bench.state, [("web", 1), ("web", 2)], InodeHashes())
    assert kept == VerifiedGeneration(integrity=intact(1))
    assert [each.code for each in published.integrity.findings] == [FindingCode.ACCESS_NARROWED]


def test_a_list_says_which_seal_is_newer_and_which_is_damaged(bench: Bench) -> None:
    bench.applied(env={"A": "a"})
    bench.applied(env={"A": "b"})
    seal = bench.state.layout.generation("web", 1).seal
    for text, state in (("{", GenerationState.UNREADABLE), ('{"format": 99}', GenerationState.NEWER)):
        seal.write_text(text)
        assert [each.state for each in sealed_generations(bench.state, "web")] == [state, GenerationState.PUBLISHED]


def test_a_published_generation_is_compared_although_its_record_cannot_be_read(bench: Bench) -> None:
    assert verify_published(bench.state, "web", InodeHashes(), depth=Depth.HASHES) is None
    bench.applied()
    intact = verify_published(bench.state, "web", InodeHashes(), depth=Depth.HASHES)
    assert intact is not None
    assert (intact.intact, intact.problem, intact.generation) == (True, "", 1)
    bench.state.layout.record("web").write_text("{")
    (bench.state.layout.generation("web", 1).venv / "added").touch()
    found = verify_published(bench.state, "web", InodeHashes(), depth=Depth.HASHES)
    assert found is not None
    assert (found.exists, found.generation) == (True, 1)
    assert "environments/web.json" in found.problem
    assert [each.path for each in found.findings] == ["added"]
    bench.state.layout.environment("web").unlink()
    found = verify_published(bench.state, "web", InodeHashes(), depth=Depth.HASHES)
    assert found is not None
    assert (found.exists, found.generation, found.findings) == (False, 0, ())
    assert "environments/web.json" in found.problem


def test_a_published_generation_whose_seal_cannot_be_read_is_reported(bench: Bench) -> None:
    bench.applied()
    bench.state.layout.generation("web", 1).seal.write_text('{"format": 99}')
    found = verify_published(bench.state, "web", InodeHashes(), depth=Depth.HASHES)
    assert found is not None
    assert "newer envsync" in found.problem
    bench.state.layout.generation("web", 1).seal.write_text("{")
    found = verify_published(bench.state, "web", InodeHashes(), depth=Depth.HASHES)
    assert found is not None
    assert (found.problem, bool(found.findings)) == ("", True), "damage is a finding"
    bench.state.layout.record("web").write_text("{")
    found = verify_published(bench.state, "web", InodeHashes(), depth=Depth.HASHES)
    assert found is not None
    assert (found.exists, found.generation, bool(found.problem)) == (True, 1, True)


def test_older_generations_are_compared_except_at_depth_metadata(bench: Bench) -> None:
    for value in ("a", "b"):
        bench.applied(env={"A": value})
    (bench.state.layout.generation("web", 1).venv / "added").touch()
    maintenance = Maintenance(root=bench.state.layout.root, project="acme", ambient={})
    for depth, unusable in ((Depth.METADATA, ()), (Depth.FILES, (1,)), (Depth.HASHES, (1,))):
        [found] = maintenance.verify(depth=depth)
        assert (found.intact, found.unusable) == (True, unusable)
    bench.state.layout.generation("web", 1).drifted.touch()
    assert maintenance.verify()[0].unusable == (), "no rollback chooses it anyway"
