"""Rounds of concurrent applies: `python -m tests.faults.rounds --rounds 200 [--seed N] [--jobs N]`.

In one root run at the same time: eight applies of a manifest that is replaced meanwhile, a pip and reading commands.
A mutex holder is killed.
"""

import argparse
import queue
import shutil
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from tests.faults.round import Round
from tests.faults.round_judge import ENDS, RoundVerdict, judge
from tests.faults.round_script import draw
from tests.host import Host, new_host


def run_round(host: Host, seed: int, changed_manually: set[int]) -> RoundVerdict:
    """Run the round of a seed on a host and judge it; see `judge` for `changed_manually`."""
    begun = time.monotonic()
    verdict = RoundVerdict(seed=seed)
    made = Round(host, draw(seed))
    if made.script.from_nothing:
        changed_manually.clear()
    made.prepare()
    made.run()
    judge(made, verdict, changed_manually)
    verdict.seconds = time.monotonic() - begun
    return verdict


def run_rounds(
    seeds: Iterable[int],
    on_result: Callable[[RoundVerdict], None] = lambda _verdict: None,
    *,
    jobs: int = 1,
    keep: Path | None = None,
    until: float = float("inf"),
) -> list[RoundVerdict]:
    """Run the rounds of `seeds`, `jobs` at the same time, each job on its own host; none starts after `until`.

    The directory of a bad round is copied below `keep`.
    """
    waiting: queue.SimpleQueue[int] = queue.SimpleQueue()
    for seed in seeds:
        waiting.put(seed)
    done: list[RoundVerdict] = []
    failed: list[BaseException] = []

    def serve(place: Path) -> None:
        try:
            changed_manually: set[int] = set()
            with new_host(place) as host:
                while not failed and time.monotonic() < until:
                    verdict = run_round(host, waiting.get_nowait(), changed_manually)
                    done.append(verdict)
                    on_result(verdict)
                    if verdict.bad:
                        if keep is not None:
                            shutil.copytree(place, keep / str(verdict.seed), symlinks=True)
                        shutil.rmtree(host.root)  # the next round starts without a root
                        changed_manually.clear()
        except queue.Empty:
            return
        except BaseException as error:  # noqa: BLE001  # raised again below, in the caller's thread
            failed.append(error)

    with tempfile.TemporaryDirectory(prefix="rounds-") as directory:
        threads = [threading.Thread(target=serve, args=(Path(directory) / str(each),)) for each in range(jobs)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    if failed:
        raise failed[0]
    return done


def section(done: Sequence[RoundVerdict]) -> str:
    """Return the rounds as a Markdown table with one line, and the seeds of bad rounds below."""
    ended: Counter[str] = Counter()
    for each in done:
        ended.update(each.ended)
    columns: dict[str, object] = {
        "rounds": len(done),
        "applies": sum(ended[each] for each in ENDS),
        **{each: ended[each] for each in ENDS},
        "pip runs": ended["pip"] + ended["uv pip"],
        "reading commands": ended["read"],
        "corrupt": sum(bool(each.corrupt) for each in done),
        "hung": sum(bool(each.hung) for each in done),
        "unclear": sum(bool(each.unclear) for each in done),
    }
    lines: list[list[object]] = [list(columns), ["---:"] * len(columns), list(columns.values())]
    text = "".join("| " + " | ".join(str(value) for value in line) + " |\n" for line in lines)
    bad = [str(each.seed) for each in done if each.bad]
    return text + (f"\nBad rounds, by seed: {', '.join(bad)}.\n" if bad else "")


def main() -> int:
    """Run rounds and print their table; return 1 if one was bad."""
    found = argparse.ArgumentParser(prog="python -m tests.faults.rounds", description=__doc__)
    found.add_argument("--rounds", type=int, default=200, help="number of rounds (default: %(default)s)")
    found.add_argument(
        "--seed", type=int, default=1, help="seed of the first round; the others count up (default: %(default)s)"
    )
    found.add_argument("--jobs", type=int, default=1, help="rounds at the same time (default: %(default)s)")
    found.add_argument("--minutes", type=float, default=60.0, help="no new round after that (default: %(default)s)")
    found.add_argument("--keep", type=Path, help="where to copy the directory of a bad round")
    options = found.parse_args()

    def on_result(verdict: RoundVerdict) -> None:
        if verdict.bad:
            problems = [*verdict.corrupt, *verdict.hung, *verdict.unclear]
            print(f"bad round, --seed {verdict.seed} --rounds 1:\n  " + "\n  ".join(problems), file=sys.stderr)
        print(f"seed {verdict.seed}: {verdict.seconds:.1f} s, {dict(verdict.ended)}", file=sys.stderr)

    seeds = range(options.seed, options.seed + options.rounds)
    until = time.monotonic() + 60 * options.minutes
    done = run_rounds(seeds, on_result, jobs=options.jobs, keep=options.keep, until=until)
    print(section(done))
    return int(any(each.bad for each in done))


if __name__ == "__main__":
    sys.exit(main())
