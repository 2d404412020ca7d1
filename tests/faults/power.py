"""The long form of the power cuts: `python -m tests.faults.power --cuts 24` prints the results as Markdown."""

import argparse
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from tests.faults.operations import operations
from tests.faults.power_cuts import Cut, Wanted, power_cuts
from tests.faults.power_trial import not_run
from tests.faults.report import table

# The system calls that are left out, to show that a cut then does damage, and the operations that need them. A rollback
# and a delete write no files that need `syncfs`. Generations that gc deleted may come back without harm.
LEFT_OUT = {
    "syncfs": ("create", "upgrade", "replace"),
    "fsync": ("create", "upgrade", "replace", "delete", "rollback"),
}
# Cuts before the flush that runs during the verification, and before the last one. A generation may then be sealed but
# incomplete; no command may use it.
BEFORE_FLUSH = {"create": ["syncfs 1"], "upgrade": ["syncfs 2"], "replace": ["syncfs 2"]}

_TEXT = """\
The root, the locks and the cache are on an ext4 file system of their own, in a file behind a loop device.
`EXT4_IOC_SHUTDOWN` stops it without flushing the log: data that only the kernel held is lost, and every later call
fails. Then it is unmounted and mounted again (which replays the journal), and examined like after a kill. It is mounted
with `commit=600`, so that the kernel's own commit every 5 seconds hides nothing. Data that a disk loses from its own
cache is not tested.

- After exit 0: the environment must be the new one, complete by hash, and the plan must be empty (after a rollback:
  `verify` finds nothing). *Damaged* means everything else, including the old environment.
- During: at points spread over the operation, before a system call that changes a file (of envsync, of uv or of an
  interpreter). The environment must be completely the old one or completely the new one.

After both, every generation that `envsync history --generations` lists must be complete by hash, the same command must
exit 0, the plan must then be empty, and `envsync apply` must exit 0.

"""
_WITHOUT = """
The flush is what makes the difference: the same cuts after exit 0, with one system call reported as done but not done.

"""


def spread(*, cuts: int, during: int) -> list[Wanted]:
    """Return the cuts for each operation: in total `cuts` after exit 0, `during` before it, and the left-out syncs."""
    names = [each.name for each in operations("", "") if not each.code]
    return [
        Wanted(
            operation=name,
            after=len(range(place, cuts, len(names))),
            during=len(range(place, during, len(names))),
            before=BEFORE_FLUSH.get(name, []),
            left_out=tuple(call for call, needing in LEFT_OUT.items() if name in needing),
        )
        for place, name in enumerate(names)
    ]


def section(done: Sequence[Cut], *, reason: str = "") -> str:
    """Return the section about the cuts as Markdown; `reason` is why there were none."""
    if reason:
        return f"not run: {reason}\n"
    complete = [each for each in done if not each.left_out]
    lines = []
    for name in dict.fromkeys(each.operation for each in complete):
        here = [each.verdict for each in complete if each.operation == name]
        after, during = [each for each in here if each.code == 0], [each for each in here if each.code]
        torn = [sum(bool(each.torn) for each in part) for part in (after, during)]
        stuck = sum(bool(each.stuck or each.left) for each in here)
        lines.append((name, len(after), torn[0], len(during), torn[1], stuck))
    head = ("operation", "cuts after exit 0", "damaged", "cuts during", "neither old nor new",
            "reruns that do not converge")  # fmt: skip
    without = []
    for call in LEFT_OUT:
        here = [each.verdict for each in done if each.left_out == call]
        if here:
            names = ", ".join(dict.fromkeys(each.operation for each in here))
            without.append((f"`{call}`", names, len(here), sum(bool(each.torn) for each in here)))
    left_out_head = ("left out", "operations", "cuts after exit 0", "damaged")
    return _TEXT + table(head, lines) + _WITHOUT + table(left_out_head, without)


def main() -> int:
    """Cut and print the section; return 1 if a promise did not hold or nothing could be tried."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults.power", description=__doc__)
    parser.add_argument("--cuts", type=int, default=24, help="cuts after exit 0 (default: %(default)s)")
    parser.add_argument("--during", type=int, default=36, help="cuts before it (default: %(default)s)")
    parser.add_argument("--minutes", type=float, default=60.0, help="then an even sample (default: %(default)s)")
    parser.add_argument("--jobs", type=int, default=2, help="operations at the same time (default: %(default)s)")
    options = parser.parse_args()
    reason = not_run()
    done: list[Cut] = []
    begun = time.monotonic()

    def on_result(cut: Cut) -> None:
        result = f"damage expected: {bool(cut.verdict.torn)}" if cut.left_out else ("wrong" if cut.wrong else "ok")
        where = f"before {cut.verdict.hit}" if cut.verdict.code else "after exit 0"
        print(f"{time.monotonic() - begun:4.0f} s  {cut.operation} {where}: {result}", file=sys.stderr)
        if cut.wrong:
            print(f"  {cut.verdict}", file=sys.stderr)

    if not reason:
        with tempfile.TemporaryDirectory(prefix="power-") as place:
            wanted = spread(cuts=options.cuts, during=options.during)
            seconds = 60 * options.minutes
            done = power_cuts(Path(place), wanted, on_result, jobs=options.jobs, seconds=seconds)
    print(section(done, reason=reason))
    return int(bool(reason) or any(each.wrong for each in done))


if __name__ == "__main__":
    sys.exit(main())
