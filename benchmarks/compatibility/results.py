"""The outcomes of requirement sets as JSON, and as a table in docs/compatibility.md."""

import datetime as dt
import json
import subprocess
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from pathlib import Path

from benchmarks.compatibility.sets import RequirementSet
from benchmarks.compatibility.trial import Outcome

BEGIN, END = "<!-- compatibility -->", "<!-- /compatibility -->"
FORMAT = 1


@dataclass(slots=True, kw_only=True)
class Results:
    """The outcomes by set, when the last one was measured, and with which Python and uv."""

    measured: str = ""
    python: str = ""
    uv: str = ""
    outcomes: dict[str, Outcome] = field(default_factory=dict)

    def add(self, outcome: Outcome) -> None:
        """Add an outcome; it replaces an earlier one of the same set."""
        self.outcomes[outcome.name] = outcome
        self.measured = f"{dt.datetime.now(dt.UTC):%Y-%m-%d}"

    def result_of(self, name: str) -> str:
        """Return the result of a set, empty if it has not run."""
        return self.outcomes[name].result if name in self.outcomes else ""


def read_results(path: Path) -> Results:
    """Return the results in a file, empty ones if there is none."""
    if not path.exists():
        return Results()
    stored = json.loads(path.read_text(encoding="utf-8"))
    outcomes = [Outcome(**{**each, "notes": tuple(each["notes"])}) for each in stored["outcomes"]]
    return Results(
        measured=stored["measured"],
        python=stored["python"],
        uv=stored["uv"],
        outcomes={each.name: each for each in outcomes},
    )


def write_results(results: Results, path: Path, interpreter: Path) -> None:
    """Write the results as JSON, sorted by name, with the interpreter's version but without its path."""
    done = subprocess.run([interpreter, "--version"], capture_output=True, text=True, check=True)
    results.python, results.uv = done.stdout.strip(), version("uv")
    found = {
        "format": FORMAT,
        "measured": results.measured,
        "python": results.python,
        "uv": results.uv,
        "outcomes": [asdict(results.outcomes[name]) for name in sorted(results.outcomes)],
    }
    path.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


def put_into(path: Path, results: Results, sets: Sequence[RequirementSet]) -> None:
    """Replace the table between the markers of a document. Raise ValueError if a marker is missing."""
    before, begin, rest = path.read_text(encoding="utf-8").partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise ValueError(f"{path.name} does not contain {BEGIN} and {END}")
    path.write_text(f"{before}{BEGIN}\n\n{render(results, sets)}\n{END}{after}", encoding="utf-8")


def render(results: Results, sets: Sequence[RequirementSet]) -> str:
    """Return the figures, a row for each stack, and each set that did not apply with its reason."""
    ran = [each for each in sets if each.name in results.outcomes]
    counts = {
        result: sum(results.result_of(each.name) == result for each in ran)
        for result in ("applied", "fails", "uninstallable")
    }
    seconds = sorted(results.outcomes[each.name].seconds for each in ran)
    figures = (
        f"Measured {results.measured} with uv {results.uv} and {results.python}: {len(ran)} of {len(sets)} sets ran, "
        f"{counts['applied']} applied, {counts['fails']} failed, and {counts['uninstallable']} could not be installed "
        f"by uv either. The median apply took {seconds[len(seconds) // 2] if seconds else 0:g} seconds, "
        "downloads included."
    )
    parts = [
        figures,
        _table(("stack", "sets", "ran", "applied", "packages of the largest"), _stacks(results, sets)),
    ]
    failures = [
        (each.name, f"`{', '.join(each.requirements)}`", found.code, found.message)
        for each in ran
        if (found := results.outcomes[each.name]).result != "applied"
    ]
    return "\n\n".join(parts) + "\n" + (f"\n{_failures(failures)}\n" if failures else "")


def _stacks(results: Results, sets: Sequence[RequirementSet]) -> Iterable[Sequence[str]]:
    for stack in dict.fromkeys(each.stack for each in sets):
        names = [each.name for each in sets if each.stack == stack]
        found = [results.outcomes[name] for name in names if name in results.outcomes]
        applied = [each for each in found if each.result == "applied"]
        largest = max((each.packages for each in applied), default=0)
        yield stack, str(len(names)), str(len(found)), str(len(applied)), str(largest or "")


def _failures(rows: Iterable[Sequence[str]]) -> str:
    cells = [(name, wanted, f"`{code}`", _one_line(message)) for name, wanted, code, message in rows]
    return _table(("set", "requirements", "code", "message"), cells)


def _one_line(message: str) -> str:
    text = " ".join(message.split()).replace("|", "/").replace("<", "&lt;")
    return text if len(text) <= 300 else f"{text[:300]} ..."


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(row) + " |" for row in lines)
