"""The compatibility sets: what is run, how a failure is reported, and that the page has the recorded results."""

import json
from pathlib import Path

from packaging.requirements import Requirement

from benchmarks.compatibility.results import BEGIN, END, Results, read_results, render
from benchmarks.compatibility.sets import RequirementSet, read_sets, sample
from benchmarks.compatibility.trial import Outcome, _failure

REPOSITORY = Path(__file__).parents[2]
SETS = read_sets(REPOSITORY / "benchmarks/compatibility/sets.yaml")


def test_there_are_two_hundred_different_sets_of_fifty_stacks_besides_the_large_ones() -> None:
    usual = [each for each in SETS if not each.large]
    assert (len(usual), len({each.stack for each in usual})) == (200, 50)
    assert len({each.name for each in SETS}) == len(SETS)
    assert len({each.requirements for each in usual}) == len(usual)
    for each in SETS:
        assert all(Requirement(line) for line in each.requirements)


def test_a_sample_is_spread_evenly_and_always_the_same() -> None:
    assert [each.name for each in sample(SETS[:200], 5)] == [
        "nox-1",
        "packaging-1",
        "web-servers-1",
        "scipy-1",
        "infrastructure-1",
    ]
    assert sample(SETS, 1000) == SETS


def test_the_page_has_the_results_of_the_recorded_run() -> None:
    results = read_results(REPOSITORY / "benchmarks/compatibility/results.json")
    page = (REPOSITORY / "docs/compatibility.md").read_text(encoding="utf-8")
    assert page.partition(BEGIN)[2].partition(END)[0].strip() == render(results, SETS).strip()
    assert len(results.outcomes) >= 60
    explained = page.partition(END)[2]
    for each in results.outcomes.values():
        assert each.result == "applied" or f"`{each.name}`" in explained, f"explain why {each.name} failed"


def test_the_figures_count_what_ran() -> None:
    sets = [RequirementSet(name=f"a-{number}", stack="a", requirements=("x",), python="3.12") for number in (1, 2, 3)]
    results = Results(measured="2026-11-30", python="Python 3.12.1", uv="0.13.9")
    results.add(Outcome(name="a-1", result="applied", seconds=2.0, packages=7))
    results.add(Outcome(name="a-3", result="fails", seconds=4.0, code="engine", message="a | b\nc"))
    text = render(results, sets)
    assert "2 of 3 sets ran, 1 applied, 1 failed, and 0 could not be installed by uv either." in text
    assert "| a | 3 | 2 | 1 | 7 |" in text
    assert "| a-3 | `x` | `engine` | a / b c |" in text


def test_a_failure_is_the_first_one_with_its_causes() -> None:
    failure = {"code": "build-failed", "message": "no", "details": ["Building x", "  cause: y", "  RuntimeError: z"]}
    lines = [json.dumps({"type": "step"}), json.dumps({"type": "environment", "failure": failure})]
    assert _failure("\n".join(lines)) == ("build-failed", "no; cause: y; RuntimeError: z")
    assert _failure(json.dumps({"code": "manifest", "message": "wrong"})) == ("manifest", "wrong")
    assert _failure("something else") == ("unknown", "something else")
