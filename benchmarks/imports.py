"""Where start-up time goes: `python -m benchmarks.imports` writes an import profile into docs/performance.md.

Each way to start the program runs as a user would start it, with `-X importtime`. The times of the modules of a package
are added up. The option itself costs time, so the sums show what is large, not how long a start takes.
"""

import re
import statistics
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

_DOCUMENT = Path(__file__).parent.parent / "docs/performance.md"
_PART = re.compile(r"(?<=<!-- imports -->\n).*?(?=<!-- /imports -->)", re.DOTALL)
_LINE = re.compile(r"import time:\s+(\d+) \|\s+\d+ \|\s+(\S+)$")
_ROUNDS = 9
_SHOWN = 12
_WAYS = {
    "`python -c pass`": ("-c", "pass"),
    "`envsync --version`": ("-m", "reconciler", "--version"),
    "`envsync run`": ("-c", "import reconciler.cli, reconciler.cli.run"),
    "`envsync plan`, nothing to do": (
        "-c",
        "import reconciler.cli, reconciler.fastpath.answer, reconciler.fastpath.unchanged",
    ),
    "`envsync apply`": ("-m", "reconciler", "apply", "--help"),
}


def profile(arguments: tuple[str, ...]) -> tuple[Counter[str], int]:
    """Return the microseconds for the modules of each top-level package, and the number of modules."""
    with tempfile.TemporaryDirectory() as place:
        command = [sys.executable, "-X", "importtime", *arguments]
        done = subprocess.run(command, cwd=place, capture_output=True, text=True, check=True)
    found: Counter[str] = Counter()
    lines = [match for match in map(_LINE.match, done.stderr.splitlines()) if match]
    for match in lines:
        top = match[2].split(".")[0]
        found[top if top not in sys.stdlib_module_names else "the standard library"] += int(match[1])
    return found, len(lines)


def main() -> None:
    """Measure every way to start and write the tables. Raise SystemExit if the page has no place for them."""
    rows = []
    full: list[Counter[str]] = []
    for way, arguments in _WAYS.items():
        rounds = [profile(arguments) for _ in range(_ROUNDS)]
        total = statistics.median(found.total() for found, _ in rounds)
        rows.append(f"| {way} | {rounds[0][1]} | {total / 1000:.1f} |")
        full = [found for found, _ in rounds]
    medians = {name: statistics.median(each[name] for each in full) for name in full[0]}
    largest = sorted(medians, key=lambda name: -medians[name])[:_SHOWN]
    text = "\n".join([
        "| command | modules | ms of imports |", "| --- | ---: | ---: |", *rows, "",
        "| package, of `envsync apply` | ms of imports |", "| --- | ---: |",
        *(f"| {name} | {medians[name] / 1000:.1f} |" for name in largest), "",
    ])  # fmt: skip
    document = _DOCUMENT.read_text(encoding="utf-8")
    if len(_PART.findall(document)) != 1:
        raise SystemExit(f"{_DOCUMENT.name} has no section for imports")
    _DOCUMENT.write_text(_PART.sub(lambda _: text, document), encoding="utf-8")


if __name__ == "__main__":
    main()
