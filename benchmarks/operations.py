"""The catalogue: every operation by name, in the order of the table. An operation is prepared when it runs."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial

from benchmarks import applying, locking, planning, starting
from benchmarks.environments import Setup
from benchmarks.operation import Operation

Prepare = Callable[[Setup], Operation | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """How many environments an operation has.

    `counts` are those of the medium set, `others` of the other sets, `copies` in copy mode with `distinct` different
    locks, `check_counts` those of the other read-only operations. `many` are built or locked together.
    """

    counts: tuple[int, ...] = (1, 10, 100, 1000)
    others: Mapping[str, tuple[int, ...]] = field(default_factory=lambda: {"small": (1, 10), "large": (1, 10)})
    copies: int = 100
    distinct: int = 20
    check_counts: tuple[int, ...] = (1, 100)
    many: int = 20


FULL = Sizes()
QUICK = Sizes(counts=(1, 2), others={}, copies=2, distinct=2, check_counts=(2,), many=2)


def operations(sizes: Sizes) -> Mapping[str, Prepare]:
    """Return a function for each operation that prepares it, or returns None if it cannot run on this machine."""
    found: dict[str, Prepare] = {"version": starting.version, "run": starting.run}
    for kind, counts in {"medium": sizes.counts, **sizes.others}.items():
        for count in counts:
            found[f"plan-{kind}-{count}"] = partial(planning.nothing_to_do, kind=kind, count=count)
    found[f"plan-copies-{sizes.copies}"] = partial(
        planning.distinct_copies, count=sizes.copies, distinct=sizes.distinct
    )
    for name, prepare in (
        ("first", planning.first),
        ("cold", planning.cold),
        ("change", planning.one_change),
        ("verify", planning.verify),
    ):
        found |= {f"{name}-{count}": partial(prepare, count=count) for count in sizes.check_counts}
    return found | {
        "create": applying.from_nothing,
        f"create-{sizes.many}": partial(applying.several, count=sizes.many),
        "apply-change": applying.change,
        "rollback": applying.rollback,
        f"lock-{sizes.many}-equal": partial(locking.equal, count=sizes.many),
        f"lock-{sizes.many}-different": partial(locking.different, count=sizes.many),
    }
