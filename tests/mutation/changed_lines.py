"""The lines of envsync's modules that were changed since a git revision."""

import re
import subprocess
from pathlib import Path

from tests.mutation.mutants import ROOT, Mutant

_HUNK = re.compile(r"^@@ -\S+ \+(\d+)(?:,(\d+))? @@", re.MULTILINE)


def changed_lines(revision: str, directory: Path = ROOT) -> dict[str, set[int]]:
    """Return the numbers of the changed lines by path, also those that are not committed; raises CalledProcessError."""
    difference = subprocess.run(
        ["git", "diff", "--unified=0", "--no-color", "--no-ext-diff", "--relative", revision, "--", "reconciler"],
        cwd=directory,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    found: dict[str, set[int]] = {}
    for part in re.split(r"^\+\+\+ b/", difference, flags=re.MULTILINE)[1:]:
        lines = found.setdefault(part.partition("\n")[0], set())
        for start, count in _HUNK.findall(part):
            lines.update(range(int(start), int(start) + int(count or 1)))
    return found


def is_changed(mutant: Mutant, changed: dict[str, set[int]]) -> bool:
    """Return whether a mutant changes a line that was changed."""
    return not changed.get(mutant.file, set()).isdisjoint(mutant.change.lines)
