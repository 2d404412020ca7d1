"""Report a sweep: the section of docs/reliability.md."""

import datetime as dt
import platform
import subprocess
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from uv import find_uv_bin

from reconciler import __version__
from tests.faults.faults import ERRORS
from tests.faults.sweep import Trial
from tests.faults.verdict import Verdict

_OTHERS = """\
The same kills at sampled calls of an in-place upgrade of six packages, from the same index. *Damaged* means: a file
that a RECORD names is missing or differs, a dist-info has no RECORD, a package is installed in two versions, or a
check fails. Then the tool runs again, and its own check (`uv pip check`, `pip check`).
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One row: the trials of one operation and kind; `planned` is the number of chosen points."""

    name: str
    planned: int
    done: tuple[tuple[Trial, Verdict], ...]

    @property
    def made(self) -> list[tuple[Trial, Verdict]]:
        """Return the trials in which the fault really happened; a kill counts if the process died of it."""
        return [(trial, verdict) for trial, verdict in self.done if verdict.hit and (verdict.died or _spares(trial))]


def rows(trials: Sequence[Trial], done: Sequence[tuple[Trial, Verdict]], kinds: Iterable[str]) -> list[Row]:
    """Return a row for each operation that has trials of `kinds`, in planned order."""
    wanted = set(kinds)
    planned = [trial for trial in trials if trial.kind in wanted]
    found = []
    for name, children in dict.fromkeys((each.operation, each.children) for each in planned):
        here = tuple(
            (trial, verdict)
            for trial, verdict in done
            if (trial.operation, trial.children) == (name, children) and trial.kind in wanted
        )
        count = sum((each.operation, each.children) == (name, children) for each in planned)
        found.append(Row(name=f"{name}, in uv" if children else name, planned=count, done=here))
    return found


def report(
    trials: Sequence[Trial], done: Sequence[tuple[Trial, Verdict]], *, seconds: float, python: str, pip: str
) -> str:
    """Return the section of docs/reliability.md about the sweep."""
    peers = {"uv pip sync", "pip install"}
    own = [each for each in trials if each.operation not in peers]
    kills, errors = rows(own, done, ["kill"]), rows(own, done, ERRORS)
    others = rows([each for each in trials if each.operation in peers], done, ["kill"])
    versions = (
        f"{dt.datetime.now(dt.UTC):%Y-%m-%d}, envsync {__version__}, {_uv_version()}, pip {pip}, "
        f"CPython {python}, {platform.system()} {platform.release().split('-')[0]}; {seconds / 60:.0f} minutes"
    )
    return (
        f"Measured {versions}.\n{_not_run([*kills, *errors, *others])}\n\n"
        f"### Killed\n\n{_kill_table(kills)}\n"
        f"### A call that fails\n\n{_error_table(errors)}\n"
        f"### Others, killed\n\n{_OTHERS}\n{_peer_table(others)}"
    )


def _kill_table(found: Sequence[Row]) -> str:
    head = (
        "operation",
        "points",
        "run",
        "kills seen",
        "neither old nor new",
        "reruns that do not converge",
        "leftovers",
    )
    lines = [
        (
            row.name,
            row.planned,
            len(row.done),
            len(row.made),
            _count(row, "torn"),
            _count(row, "stuck"),
            _count(row, "left"),
        )
        for row in found
    ]
    return table(head, lines)


def _error_table(found: Sequence[Row]) -> str:
    head = ("operation", "points", "run", *ERRORS, "unclear errors", "neither old nor new",
            "reruns that do not converge", "leftovers")  # fmt: skip
    lines = [
        (
            row.name,
            row.planned,
            len(row.done),
            *(sum(trial.kind == name for trial, _ in row.made) for name in ERRORS),
            _count(row, "unclear"),
            _count(row, "torn"),
            _count(row, "stuck"),
            _count(row, "left"),
        )
        for row in found
    ]
    return table(head, lines)


def _peer_table(found: Sequence[Row]) -> str:
    head = ("tool", "points", "run", "kills seen", "neither old nor new", "still damaged after the rerun",
            "of these the rerun exits 0", "of these the check exits 0", "leftovers")  # fmt: skip
    lines = [
        (
            row.name,
            row.planned,
            len(row.done),
            len(row.made),
            _count(row, "torn"),
            _count(row, "stuck"),
            sum(verdict.fine for _, verdict in row.made),
            sum(verdict.checked for _, verdict in row.made),
            _count(row, "left"),
        )
        for row in found
    ]
    return table(head, lines)


def table(head: Sequence[str], lines: Sequence[tuple[object, ...]]) -> str:
    """Return a Markdown table with right-aligned numbers, and sums if it has more than two lines."""
    if not lines:
        return "not run\n"
    columns = [[line[number] for line in lines] for number in range(1, len(head))]
    sums = [sum(own) if (own := [each for each in column if isinstance(each, int)]) else "" for column in columns]
    printed = [head, ["---", *("---:" for _ in head[1:])], *lines, *([["all", *sums]] if len(lines) > 2 else [])]
    return "".join("| " + " | ".join(str(value) for value in line) + " |\n" for line in printed)


def _not_run(found: Sequence[Row]) -> str:
    planned, done = sum(row.planned for row in found), sum(len(row.done) for row in found)
    if planned == done:
        return "Every point that was chosen was run."
    return (
        f"In this time {done} of the {planned} chosen points were run: the operations took turns, "
        "and the points of each are spread evenly over its system calls."
    )


def _count(row: Row, what: str) -> int:
    return sum(bool(getattr(verdict, what)) for _, verdict in row.made)


def _spares(trial: Trial) -> bool:
    """Return whether the program itself survives: after an error, or the death of a child."""
    fault = trial.fault
    return fault is not None and (fault.error is not None or (fault.whose == "children" and not fault.parent))


def _uv_version() -> str:
    done = subprocess.run([find_uv_bin(), "--version"], capture_output=True, text=True, check=True)
    return " ".join(done.stdout.split()[:2])
