"""The benchmark harness from end to end, with a few small packages; the measured times do not matter."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.growth import slope
from benchmarks.operations import QUICK, operations
from benchmarks.results import Results, read_results
from benchmarks.table import BEGIN, END, render
from tests.every_case import takes_longer
from tests.host import base_environment
from tests.index import serve_index
from tests.wheels import make_wheel

_TRIED = ("version", "plan-medium-1", "create")  # for all others: python -m benchmarks --quick
_REPOSITORY = Path(__file__).parents[2]
_NAMES = ("one", "two", "three", "four", "five", "six")
_PACKAGES = """\
sets:
  small: [one==1.0]
  medium: [one==1.0, two==1.0, three==1.0]
  large: [one==1.0, two==1.0, three==1.0, four==1.0]
change: one==0.9
replaced: [three]
others: [four==1.0, five==1.0, six==1.0]
"""


@takes_longer
def test_a_quick_run_measures_every_series_and_writes_the_table(tmp_path: Path) -> None:
    """This is one test, because several tests in different processes would each measure again."""
    _measure(tmp_path)
    results = read_results(tmp_path / "results.json")
    _every_series_is_filled(results)
    _the_document_has_the_table(results, (tmp_path / "performance.md").read_text(encoding="utf-8"))
    _the_machine_is_not_named(tmp_path)
    assert not (tmp_path / "work").exists()


def _measure(place: Path) -> None:
    for name in _NAMES:
        make_wheel(place / "wheels", name, "1.0")
    make_wheel(place / "wheels", "one", "0.9")
    (place / "packages.yaml").write_text(_PACKAGES, encoding="utf-8")
    (place / "performance.md").write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n", encoding="utf-8")
    with serve_index(place / "wheels") as index:
        done = subprocess.run(
            [
                *(sys.executable, "-m", "benchmarks", "--quick", "--rounds", "1", "--work", str(place / "work")),
                *("--packages", str(place / "packages.yaml"), "--index", index.url),
                *("--output", str(place / "results.json"), "--document", str(place / "performance.md")),
                *(f"--only={name}" for name in _TRIED),
            ],
            cwd=_REPOSITORY,
            env=base_environment(),
            capture_output=True,
            text=True,
            check=False,
            timeout=280,
        )
    assert done.returncode == 0, done.stdout + done.stderr


def _every_series_is_filled(results: Results) -> None:
    assert [each.name for each in results.operations] == [each for each in operations(QUICK) if each in _TRIED]
    for operation in results.operations:
        assert len(operation.series) > 1, operation.name
        for series in operation.series:
            assert len(series.seconds) == 1, series.name
            derived = series.name.endswith((" step", "'s own")) or series.name.startswith("hashing")
            assert derived == (series.peak_kib == 0), series.name
        assert {each.ours for each in operation.aims} <= {each.name for each in operation.series}


def _the_document_has_the_table(results: Results, text: str) -> None:
    table = render(results)
    assert text == f"before\n{BEGIN}\n\n{table}\n{END}\nafter\n"
    for line in table.splitlines():
        assert re.search(r"\bnan\b|\binf\b", line) is None, line
    for operation in results.operations:
        assert operation.title in table
        for series in operation.series:
            assert f"| {series.name} |" in table


def _the_machine_is_not_named(place: Path) -> None:
    text = (place / "results.json").read_text(encoding="utf-8")
    assert not [each for each in (str(place), "127.0.0.1", sys.prefix) if each in text]
    assert set(json.loads(text)["versions"]) == {"CPython", "envsync", "uv"}


def test_growth_is_the_exponent_of_a_power_law() -> None:
    assert slope([(number, 3.0 * number**1.5) for number in (1, 10, 100)]) == pytest.approx(1.5)
    assert slope([(1, 7.0), (10, 7.0), (100, 7.0)]) == pytest.approx(0.0)
