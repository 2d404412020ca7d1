"""The state of a kept generation in one word, and what is wrong with it."""

from typing import Any

import pytest

from reconciler.apply.verify_generations import GenerationState, VerifiedGeneration, verify_generations
from reconciler.apply.verify_seal import verify_generation
from reconciler.diff.integrity import Integrity
from reconciler.generation_list import sealed_generations
from reconciler.observe.actual import Finding, FindingCode
from reconciler.state.inode_hashes import InodeHashes
from tests.apply.bench import Bench
from tests.apply.bench import bench as bench

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


def test_a_generation_that_cannot_be_read_is_reported_and_one_that_is_gone_is_left_out(bench: Bench) -> None:
    bench.applied(env={"A": "a"})
    bench.applied(env={"A": "b"})
    seal = bench.state.layout.generation("web", 1).seal
    content = seal.read_bytes()
    for text, newer, words in (("{", False, "is damaged"), ('{"format": 99}', True, "was made by a newer envsync")):
        seal.write_text(text)
        unreadable, published = verify_generations(bench.state, [("web", 1), ("web", 2), ("web", 7)], InodeHashes())
        assert words in unreadable.problem
        assert (unreadable.newer, unreadable.published, unreadable.integrity.findings) == (newer, False, ())
        assert (published.published, published.state) == (True, GenerationState.PUBLISHED)
    seal.write_bytes(content)
    assert [each.state for each in verify_generations(bench.state, [("web", 1)], InodeHashes())] == [
        GenerationState.KEPT
    ]


def test_modes_count_for_what_is_published_and_on_request(bench: Bench) -> None:
    bench.applied()
    bench.state.layout.generation("web", 1).directory.chmod(0o700)
    closed = verify_generation(bench.state, "web", 1, InodeHashes())
    assert [each.code for each in closed.findings] == [FindingCode.ACCESS_NARROWED]
    assert verify_generation(bench.state, "web", 1, InodeHashes(), modes=False).intact


def test_a_list_says_which_seal_is_newer_and_which_is_damaged(bench: Bench) -> None:
    bench.applied(env={"A": "a"})
    bench.applied(env={"A": "b"})
    seal = bench.state.layout.generation("web", 1).seal
    for text, state in (("{", GenerationState.UNREADABLE), ('{"format": 99}', GenerationState.NEWER)):
        seal.write_text(text)
        assert [each.state for each in sealed_generations(bench.state, "web")] == [state, GenerationState.PUBLISHED]
