"""The catalogue: every operation by name, in the table's order; each is prepared when it is asked for."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial

from benchmarks import applying, locking, planning, starting
from benchmarks.environments import Ground
from benchmarks.operation import Operation

Prepare = Callable[[Ground], Operation | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """How many environments: of the medium set; of the other sets; in copy mode, and distinct among these.

    `looks` are those of the other operations that only look, `many` is how many are built or locked together.
    """

    counts: tuple[int, ...] = (1, 10, 100, 1000)
    others: Mapping[str, tuple[int, ...]] = field(default_factory=lambda: {"small": (1, 10), "large": (1, 10)})
    copies: int = 100
    distinct: int = 20
    looks: tuple[int, ...] = (1, 100)
    many: int = 20


FULL = Sizes()
QUICK = Sizes(counts=(1, 2), others={}, copies=2, distinct=2, looks=(2,), many=2)


def operations(sizes: Sizes) -> Mapping[str, Prepare]:
    """Return what prepares each operation; that gives None where it cannot be run on this machine."""
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
        found |= {f"{name}-{count}": partial(prepare, count=count) for count in sizes.looks}
    return found | {
        "create": applying.from_nothing,
        f"create-{sizes.many}": partial(applying.several, count=sizes.many),
        "apply-change": applying.change,
        "rollback": applying.rollback,
        f"lock-{sizes.many}-equal": partial(locking.equal, count=sizes.many),
        f"lock-{sizes.many}-different": partial(locking.different, count=sizes.many),
    }
