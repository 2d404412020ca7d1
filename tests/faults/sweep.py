"""Give the trials to workers, two at the same time, and collect their verdicts."""

import json
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from tests.faults.peers import make_peer_wheels
from tests.faults.tracer import Fault
from tests.faults.verdict import Verdict
from tests.host import base_environment, new_host


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """One trial: `kind` is `kill`, `child kill`, `count`, or the name of an error."""

    operation: str
    kind: str
    fault: Fault | None
    children: bool = False


class Workers:
    """Some worker processes, each with its own directories."""

    def __init__(self, processes: Sequence["subprocess.Popen[str]"]) -> None:
        self._processes = processes

    def run(
        self,
        trials: Sequence[Trial],
        on_result: Callable[[Trial, Verdict], None],
        *,
        until: float = float("inf"),
        apart: bool = False,
    ) -> None:
        """Run every trial, but start none after `until` (monotonic); call `on_result` with each verdict, one at a time.

        With `apart`, all trials of an operation are given to one worker, so that it is prepared only once.
        """
        names = list(dict.fromkeys(trial.operation for trial in trials))
        queues: list[queue.SimpleQueue[Trial]] = [queue.SimpleQueue() for _ in self._processes]
        for trial in trials:
            queues[names.index(trial.operation) % len(queues) if apart else 0].put(trial)
        guard = threading.Lock()
        failed: list[BaseException] = []

        def serve(process: "subprocess.Popen[str]", waiting: "queue.SimpleQueue[Trial]") -> None:
            try:
                while not failed and time.monotonic() < until:
                    trial = waiting.get_nowait()
                    verdict = _ask(process, trial)
                    with guard:
                        on_result(trial, verdict)
            except queue.Empty:
                return
            except Exception as error:  # noqa: BLE001  # raised again below, in the caller's thread
                failed.append(error)

        threads = [
            threading.Thread(target=serve, args=(process, queues[number if apart else 0]))
            for number, process in enumerate(self._processes)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if failed:
            raise failed[0]


@contextmanager
def workers(directory: Path, count: int = 2) -> Iterator[Workers]:
    """Yield workers below `directory`; they share one local index."""
    with new_host(directory / "host") as host, ExitStack() as stack:
        make_peer_wheels(host.index.directory)
        yield Workers([stack.enter_context(_worker(directory / str(n), host.index.url)) for n in range(count)])


@contextmanager
def _worker(directory: Path, index: str) -> Iterator["subprocess.Popen[str]"]:
    argv = [sys.executable, "-m", "tests.faults.worker", str(directory), index]
    with subprocess.Popen(
        argv, env=base_environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        yield process
        if process.stdin:
            process.stdin.close()


def _ask(process: "subprocess.Popen[str]", trial: Trial) -> Verdict:
    if process.stdin is None or process.stdout is None:
        raise RuntimeError("a worker has no pipes")
    fault = {**asdict(trial.fault), "calls": sorted(trial.fault.calls)} if trial.fault else None
    process.stdin.write(json.dumps({"operation": trial.operation, "fault": fault}) + "\n")
    process.stdin.flush()
    line = process.stdout.readline()
    if not line:
        raise RuntimeError(f"a worker ended during {trial}")
    return Verdict(**json.loads(line))
