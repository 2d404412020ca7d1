"""A process with one thread that runs trials. It reads jobs and writes verdicts as lines of JSON.

python -m tests.faults.worker DIRECTORY INDEX_URL
"""

import json
import sys
from pathlib import Path

from tests.faults.operations import operations
from tests.faults.peers import PEERS, PeerTrials
from tests.faults.tracer import Fault
from tests.faults.trial import OperationTrials, Stage
from tests.installed_pythons import interpreters


def work(directory: Path, index: str) -> None:
    """Run every job from standard input."""
    series = sorted(each for each in interpreters() if each in {"3.11", "3.12", "3.13"})
    known = {each.name: each for each in operations(series[0], series[-1])}
    python = interpreters()[series[0]]
    prepared: dict[str, OperationTrials | PeerTrials] = {}
    for line in sys.stdin:
        job = json.loads(line)
        name = job["operation"]
        if name not in prepared:
            stage = Stage(directory=directory / name, index=index)
            prepared[name] = (
                PeerTrials(PEERS[name], stage, python) if name in PEERS else OperationTrials(known[name], stage)
            )
        fault = job["fault"]
        made = Fault(**{**fault, "calls": frozenset(fault["calls"])}) if fault else None
        sys.stdout.write(json.dumps(prepared[name].run(made).to_json()) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    work(Path(sys.argv[1]), sys.argv[2])
