"""Compare `apply` with `uv pip install` for each layout: `python -m tests.layouts [--layout NAME] [--edit NAME]`."""

import argparse
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from tests.index import ServedIndex, serve_index
from tests.installed_pythons import interpreters
from tests.layouts.build_backends import write_wheels
from tests.layouts.catalog import LAYOUTS
from tests.layouts.edits import EDITS
from tests.layouts.table import faults, table
from tests.layouts.trial import Result, Trial


def _arguments() -> argparse.Namespace:
    found = argparse.ArgumentParser(prog="python -m tests.layouts", description=__doc__)
    found.add_argument("--layout", action="append", choices=[*LAYOUTS], help="which layouts; default: all")
    found.add_argument("--edit", action="append", choices=[*EDITS], help="which edits; default: all")
    found.add_argument("--jobs", type=int, default=2, help="layouts at the same time (default: %(default)s)")
    return found.parse_args()


def main() -> int:
    """Try the layouts; return 1 if an environment is not what `uv pip install` gives."""
    options = _arguments()
    begun = time.monotonic()
    results: list[Result] = []
    with tempfile.TemporaryDirectory(prefix="layouts-") as place, served_backends(Path(place)) as index:

        def run(name: str) -> list[Result]:
            trial = Trial(
                layout=LAYOUTS[name], directory=Path(place) / name, index=index, python=interpreters()["3.12"]
            )
            return list(trial.run(options.edit or tuple(EDITS)))

        with ThreadPoolExecutor(options.jobs) as pool:
            for found in pool.map(run, options.layout or LAYOUTS):
                results += found
                print(faults(found), end="", file=sys.stderr, flush=True)
                print(f"{found[0].layout}: done, {time.monotonic() - begun:.0f} s", file=sys.stderr, flush=True)
    print(table(results), end="")
    return int(any(each.bad for each in results))


@contextmanager
def served_backends(directory: Path) -> Iterator[ServedIndex]:
    """Yield a package index with the build backends and the packages that the layouts depend on."""
    wheels = directory / "wheels"
    wheels.mkdir()
    write_wheels(wheels)
    with serve_index(wheels) as index:
        yield index


if __name__ == "__main__":
    sys.exit(main())
