"""A short mutation run: five comparisons are inverted, and the cases fail for each."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.mutation.in_memory import TESTS

ROOT = Path(__file__).parents[2]
DECISIONS = (
    "package_changes: pending and drifted and matches_desired(want, present, places.get(name, ",
    "_published_diff: target.lock_state is not LockState.FRESH =>",
    "change_blockers: applied is not None and applied.project != desired.project =>",
    "delete_blockers: applied.prevent_destroy or protected =>",
    "make_steps: place[each] < place[name] =>",
)


def test_the_cases_fail_for_inverted_decisions() -> None:
    chosen = [part for where in DECISIONS for part in ("--only", where)]
    done = python("-m", "tests.mutation", *chosen)
    if done.returncode == 2 and python("-m", "pytest", "-q", *(f"tests/plan/{name}" for name in TESTS)).returncode:
        pytest.skip(f"{', '.join(TESTS)} fail without a mutant: fix these first")
    assert done.returncode == 0, done.stdout + done.stderr
    killed = [line for line in done.stdout.splitlines() if line.startswith("killed")]
    assert all(any(where in line for line in killed) for where in DECISIONS), done.stdout


def python(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
