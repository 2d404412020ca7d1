"""The short form of the state machine's run (see `python -m tests.faults.machine`)."""

import re
import subprocess
import sys
from pathlib import Path

from tests.every_case import EVERY_CASE
from tests.host import base_environment

STEPS = 60 if EVERY_CASE else 30


def test_some_steps_without_a_counterexample() -> None:
    """Run in a separate process, because kills fork and a test run has threads."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.faults.machine", "--steps", str(STEPS), "--seed", "1", "--no-shrink"],
        cwd=Path(__file__).parents[2],
        env=base_environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert (taken := re.match(r"(\d+) steps", done.stdout))
    assert int(taken[1]) >= STEPS
