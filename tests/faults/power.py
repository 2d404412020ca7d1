"""Power cuts, the long form: `python -m tests.faults.power --cuts 24` prints what they came to as Markdown."""

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

# The calls that are left out to see that the cut hurts then, and the operations that would do without: a rollback and a
# delete write no files to flush, and what gc deletes may come back.
LEFT_OUT = {
    "syncfs": ("create", "upgrade", "replace"),
    "fsync": ("create", "upgrade", "replace", "delete", "rollback"),
}
# Before the flush that is begun with looking, and before the last one: a generation that is sealed and not whole then
# is given out by nothing.
BEFORE_FLUSH = {"create": ["syncfs 1"], "upgrade": ["syncfs 2"], "replace": ["syncfs 2"]}

_TEXT = """\
envsync's root, locks and cache lie on an ext4 file system of their own, in a file behind a loop device.
`EXT4_IOC_SHUTDOWN` ends it without flushing the log: what the kernel held is gone, and every later call fails. Then it
is unmounted and mounted again (the journal is replayed), and looked at as after a kill. It is mounted with
`commit=600`, so that the kernel's own commit every 5 seconds hides nothing. What a disk loses of its own cache is not
tried.

- After exit 0: the environment must be the new one, whole by hash, and the plan empty (after a rollback: verify clean).
  *Damaged* is everything else, the old environment too.
- During: at points spread over the operation, before a system call that changes a file (its own, or one of uv's and the
  interpreters'); the environment must be wholly the old one or wholly the new one.

After both, every generation that `envsync history` lists must be whole by hash, the same command must end with 0, the
plan then be empty, and `envsync apply` end with 0.

"""
_WITHOUT = """
That the sync is what saves it: the same cuts after exit 0, with one system call answered as done and not done.

"""


def spread(*, cuts: int, during: int) -> list[Wanted]:
    """Return what to make of `cuts` after exit 0 and `during` before it: spread over the operations, syncs left out."""
    names = [each.name for each in operations("", "")]
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
    """Return what is to be read about the cuts, as Markdown; `reason` says why there were none."""
    if reason:
        return f"not run: {reason}\n"
    whole = [each for each in done if not each.left_out]
    lines = []
    for name in dict.fromkeys(each.operation for each in whole):
        here = [each.verdict for each in whole if each.operation == name]
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
    """Cut, and print the section; return 1 where a promise did not hold, and where nothing could be tried."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults.power", description=__doc__)
    parser.add_argument("--cuts", type=int, default=24, help="cuts after exit 0 (default: %(default)s)")
    parser.add_argument("--during", type=int, default=36, help="cuts before it (default: %(default)s)")
    options = parser.parse_args()
    reason = not_run()
    done: list[Cut] = []
    begun = time.monotonic()

    def told(cut: Cut) -> None:
        said = f"damage expected: {bool(cut.verdict.torn)}" if cut.left_out else ("wrong" if cut.wrong else "well")
        where = f"before {cut.verdict.hit}" if cut.verdict.code else "after exit 0"
        print(f"{time.monotonic() - begun:4.0f} s  {cut.operation} {where}: {said}", file=sys.stderr)
        if cut.wrong:
            print(f"  {cut.verdict}", file=sys.stderr)

    if not reason:
        with tempfile.TemporaryDirectory(prefix="power-") as place:
            done = power_cuts(Path(place), spread(cuts=options.cuts, during=options.during), told)
    print(section(done, reason=reason))
    return int(bool(reason) or any(each.wrong for each in done))


if __name__ == "__main__":
    sys.exit(main())
