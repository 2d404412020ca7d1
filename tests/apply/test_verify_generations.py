"""The state of a kept generation in one word, and what is wrong with it."""

from typing import Any

import pytest

from reconciler.apply.verify_generations import GenerationState, VerifiedGeneration
from reconciler.diff.integrity import Integrity
from reconciler.observe.actual import Finding, FindingCode

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
