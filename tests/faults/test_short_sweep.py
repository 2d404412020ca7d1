"""The short form of the sweep: some kills and some failing calls in some operations (see docs/reliability.md)."""

import errno
from collections.abc import Iterator

import pytest

from tests.every_case import EVERY_CASE, usually
from tests.faults.faults import child_kills, errors, kills
from tests.faults.operations import operations
from tests.faults.sweep import Trial, Workers, workers
from tests.faults.tracer import CAN_TRACE, Fault
from tests.faults.verdict import Verdict

pytestmark = [
    pytest.mark.timeout(900),
    pytest.mark.skipif(not CAN_TRACE, reason="the tracer supports only Linux on x86-64"),
]
# One operation for each way in which a path, a record or a generation changes; `python -m tests.faults` has all.
NAMES = usually(
    ("create", "upgrade", "delete", "hold", "rename-upgrade", "trial-fails"),
    (
        *("create", "upgrade", "delete", "restore", "rollback", "hold"),
        *("rename-upgrade", "publish-staged", "trial-fails", "replace-name-probe-fails"),
    ),
)
CODES = {each.name: each.code for each in operations("", "") if each.name in NAMES}
KILLS, CHILD_KILLS, ERRORS = 2, 1, 1  # for each operation


@pytest.fixture(scope="module")
def crew(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workers]:
    with workers(tmp_path_factory.mktemp("faults")) as made:
        yield made


def test_after_a_kill_it_is_old_or_new_and_the_next_run_converges(crew: Workers) -> None:
    """This is one test with failed calls, because tests in different processes would each count the calls again."""
    counted = {trial.operation: verdict for trial, verdict in run(crew, [trial_of(name, "count") for name in NAMES])}
    assert {name: verdict.code for name, verdict in counted.items()} == CODES
    assert not [verdict for verdict in counted.values() if verdict.bad]

    trials = []
    for name, verdict in counted.items():
        found = kills(verdict, len(verdict.calls[0]) // KILLS)
        chosen = found if EVERY_CASE else found[1:2]  # before the first call, nothing has changed yet
        trials += [Trial(operation=name, kind="kill", fault=each) for each in chosen]
    for name in ("create", "upgrade"):
        found = child_kills(counted[name], len(counted[name].calls[1]) // CHILD_KILLS)
        trials += [Trial(operation=name, kind="kill", fault=each, children=True) for each in found]
    judged = run(crew, trials)
    assert sum(verdict.died for trial, verdict in judged if not trial.children) >= len(NAMES) - 2
    assert not [verdict for _, verdict in judged if verdict.bad]

    trials = []
    for name, verdict in counted.items():
        failing = errors(verdict, len(verdict.calls[0]) // ERRORS)
        trials += [Trial(operation=name, kind=kind, fault=each) for kind, each in failing]
    judged = run(crew, trials)
    assert sum(bool(verdict.hit) for _, verdict in judged) >= len(NAMES) // 2
    assert not [verdict for _, verdict in judged if verdict.bad]


def test_a_write_error_that_only_the_background_flush_gets_is_reported(crew: Workers) -> None:
    fault = Fault(whose="own", at=1, error=errno.EIO, only="syncfs 1")
    [(_, verdict)] = run(crew, [Trial(operation="create", kind="EIO", fault=fault)])
    assert (verdict.code, verdict.bad) == (1, False)
    assert "Input/output error" in verdict.words


def trial_of(name: str, kind: str) -> Trial:
    return Trial(operation=name, kind=kind, fault=None)


def run(crew: Workers, trials: list[Trial]) -> list[tuple[Trial, Verdict]]:
    judged: list[tuple[Trial, Verdict]] = []
    crew.run(trials, lambda trial, verdict: judged.append((trial, verdict)), apart=True)
    return judged
