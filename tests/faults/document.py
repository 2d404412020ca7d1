"""Write docs/reliability.md: `python -m tests.faults.document` runs every long suite and inserts its output.

Each section is between `<!-- NAME -->` and `<!-- /NAME -->`; `--only NAME` replaces only that one. If a suite fails,
its section is kept, and this fails too. With `--minutes`, each suite gets its share of the time and tries an even
sample; its section says how much that was.
"""

import argparse
import re
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

DOCUMENT = Path(__file__).parents[2] / "docs/reliability.md"


@dataclass(frozen=True, slots=True, kw_only=True)
class Suite:
    """A long suite: its command, and its share of the time; the shares need not have a certain sum."""

    command: tuple[str, ...]
    share: float


SUITES: Mapping[str, Suite] = {
    "sweep": Suite(command=("tests.faults", "--minutes", "40", "--jobs", "1"), share=14),
    "safeguards": Suite(command=("tests.safeguards",), share=8),
    "machine": Suite(command=("tests.faults.machine", "--steps", "5000"), share=7),
    "full-disk": Suite(command=("tests.faults.full_disk",), share=5),
    "long-run": Suite(command=("tests.faults.long_run",), share=4),
    "power": Suite(command=("tests.faults.power", "--jobs", "1"), share=4),
    "rounds": Suite(command=("tests.faults.rounds", "--rounds", "200"), share=3),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """The output of a suite: its exit code, its text and how long it took."""

    name: str
    code: int
    text: str
    seconds: float


def minutes_of(names: Sequence[str], minutes: float, jobs: int) -> dict[str, float]:
    """Return the minutes of each suite, such that all of them take `minutes` if `jobs` run at the same time."""
    shares = {name: SUITES[name].share for name in names}
    most = minutes * jobs / sum(shares.values())
    return {name: min(minutes, share * most) for name, share in shares.items()}


def with_part(document: str, name: str, text: str) -> str:
    """Return the document with one section replaced; raises ValueError unless it has this section once."""
    part = re.compile(rf"(?<=<!-- {name} -->\n).*?(?=<!-- /{name} -->)", re.DOTALL)
    if len(part.findall(document)) != 1:
        raise ValueError(f"{DOCUMENT.name} must have the section {name} once")
    return part.sub(lambda _: text.rstrip("\n") + "\n", document)


def main() -> int:
    """Run the suites and write their sections; return 1 if one failed."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults.document", description=__doc__)
    parser.add_argument("--only", action="append", choices=[*SUITES], help="which sections; default: all")
    parser.add_argument("--minutes", type=float, help="time for all of them together; default: what each suite takes")
    parser.add_argument("--jobs", type=int, default=2, help="suites at the same time (default: %(default)s)")
    options = parser.parse_args()
    names = [each for each in SUITES if not options.only or each in options.only]
    limits = minutes_of(names, options.minutes, options.jobs) if options.minutes else {}
    failed = []
    with ThreadPoolExecutor(options.jobs) as pool:
        for done in pool.map(lambda name: _run(name, limits.get(name)), names):
            print(f"== {done.name}: exit {done.code}, {done.seconds / 60:.1f} minutes", file=sys.stderr)
            if done.code:
                failed.append(done.name)
                print(done.text)
            else:
                text = with_part(DOCUMENT.read_text(encoding="utf-8"), done.name, done.text)
                DOCUMENT.write_text(text, encoding="utf-8")
    if failed:
        print(f"failed: {', '.join(failed)}", file=sys.stderr)
    return int(bool(failed))


def _run(name: str, minutes: float | None) -> Section:
    limit = ("--minutes", f"{minutes:.2f}") if minutes else ()
    argv = [sys.executable, "-m", *SUITES[name].command, *limit]
    print(f"== {name}: python {' '.join(argv[1:])}", file=sys.stderr)
    begun = time.monotonic()
    done = subprocess.run(argv, stdout=subprocess.PIPE, text=True, check=False)
    return Section(name=name, code=done.returncode, text=done.stdout, seconds=time.monotonic() - begun)


if __name__ == "__main__":
    sys.exit(main())
