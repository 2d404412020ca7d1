"""Compare `apply` with `uv pip install` for each layout: `python -m tests.layouts [--layout NAME] [--edit NAME]`."""

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import islice
from pathlib import Path

from tests.faults.document import with_part
from tests.index import ServedIndex, serve_index
from tests.layouts.build_backends import python_of_the_layouts, write_wheels
from tests.layouts.catalog import LAYOUTS
from tests.layouts.edits import EDITS
from tests.layouts.layout import Layout
from tests.layouts.table import faults, keep_results, section, table
from tests.layouts.trial import START, Result, Trial

DOCUMENT = Path(__file__).parents[2] / "docs/compatibility.md"
RESULTS = Path(__file__).with_name("results.json")


def _arguments() -> argparse.Namespace:
    found = argparse.ArgumentParser(prog="python -m tests.layouts", description=__doc__)
    found.add_argument("--layout", action="append", choices=[*LAYOUTS], help="which layouts; default: all")
    found.add_argument("--edit", action="append", choices=[*EDITS], help="which edits; default: all")
    found.add_argument("--jobs", type=int, default=2, help="layouts at the same time (default: %(default)s)")
    found.add_argument(
        "--minutes", type=float, default=600.0, help="then begin no edit; its cell is empty (default: %(default)s)"
    )
    found.add_argument(
        "--write",
        action="store_true",
        help="write the results into docs/compatibility.md, and keep the results of other layouts and edits",
    )
    return found.parse_args()


def main() -> int:
    """Try the layouts; return 1 if an environment is not what `uv pip install` gives."""
    options = _arguments()
    begun = time.monotonic()
    results: list[Result] = []
    python = python_of_the_layouts()
    edits = tuple(options.edit or EDITS)
    layouts = [LAYOUTS[name] for name in options.layout or LAYOUTS]
    with tempfile.TemporaryDirectory(prefix="layouts-") as place, served_backends(Path(place), python) as index:

        def step(found: Iterator[Result]) -> None:
            if time.monotonic() - begun > 60 * options.minutes:
                return
            if pair := list(islice(found, 2)):  # one edit, of both environments
                results.extend(pair)
                seconds = time.monotonic() - begun
                report = f"{faults(pair)}{pair[0].layout}, {pair[0].edit}: {seconds:.0f} s\n"
                print(report, end="", file=sys.stderr, flush=True)

        trials = [
            Trial(layout=each, directory=Path(place) / each.name, index=index, python=python).run(edits)
            for each in layouts
            if not missing(each)
        ]
        with ThreadPoolExecutor(options.jobs) as pool:
            for _ in (START, *edits):  # all layouts in turn, so that limited time gives an even sample
                list(pool.map(step, trials))
    print(table(results), end="")
    if options.write:
        version = subprocess.run([python, "--version"], check=True, capture_output=True, text=True).stdout.strip()
        document = DOCUMENT.read_text(encoding="utf-8")
        kept = keep_results(RESULTS, results)
        DOCUMENT.write_text(with_part(document, "layouts", section(kept, version)), encoding="utf-8")
    return int(any(each.bad for each in results))


def missing(layout: Layout) -> bool:
    """Return whether this machine cannot build a layout, and print the reason."""
    if reason := layout.missing():
        print(f"{layout.name}: skipped, {reason}", file=sys.stderr, flush=True)
    return bool(reason)


@contextmanager
def served_backends(directory: Path, python: Path) -> Iterator[ServedIndex]:
    """Yield a package index with the build backends and the packages that the layouts depend on."""
    wheels = directory / "wheels"
    wheels.mkdir()
    write_wheels(wheels, python)
    with serve_index(wheels) as index:
        yield index


if __name__ == "__main__":
    sys.exit(main())
