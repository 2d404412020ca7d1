"""The short form of the mutation run: a handful of comparisons turned round, and the cases notice each."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
DECISIONS = (
    "package_changes: pending and drifted =>",
    "_standing: target.lock_state is not LockState.FRESH =>",
    "change_obstacles: applied is not None and applied.project != desired.project =>",
    "delete_obstacles: applied.prevent_destroy or asked =>",
    "chained: place[each] < place[name] =>",
)


def test_turning_round_a_decision_is_noticed() -> None:
    chosen = [part for where in DECISIONS for part in ("--only", where)]
    done = subprocess.run(
        [sys.executable, "-m", "tests.mutation", *chosen], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    killed = [line for line in done.stdout.splitlines() if line.startswith("killed")]
    assert all(any(where in line for line in killed) for where in DECISIONS), done.stdout
