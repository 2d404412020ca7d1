"""What an environment occupies on disk, and what deleting its older generations would free. Only reads."""

from dataclasses import dataclass

from reconciler.fs.disk_usage import measure, total
from reconciler.state.store import State


@dataclass(frozen=True, slots=True, kw_only=True)
class DiskUsage:
    """Sizes on disk in bytes; an inode counts once, however many names it has.

    `own` is what only the published generation has. `shared` is what it shares by hard links with other generations,
    other environments or the engine's cache. `reclaimable` is what deleting all other generations would free, with what
    `--adopt` replaced. A deleted environment has only those.
    """

    own: int
    shared: int
    reclaimable: int


def disk_usage(state: State, name: str) -> DiskUsage:
    """Measure an environment; raises StateError, or OSError if something is unreadable."""
    layout = state.layout
    published = layout.published_number(name)
    numbers = layout.generation_numbers(name)
    current = measure(layout.generation(name, number).directory for number in numbers if number == published)
    built = (layout.generation(name, number).directory for number in numbers if number != published)
    adopted = (layout.adopted_generation(name, number).directory for number in layout.adopted_numbers(name))
    others = measure((*built, *adopted))
    return DiskUsage(
        own=total(each for each in current.values() if not each.shared),
        shared=total(each for each in current.values() if each.shared),
        reclaimable=total(each for each in others.values() if not each.shared),
    )
