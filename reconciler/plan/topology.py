"""Topological order: which names can go side by side once those before them are done."""

from collections.abc import Collection, Mapping


def waves(needs: Mapping[str, Collection[str]]) -> tuple[tuple[str, ...], ...]:
    """Return the names in waves, each sorted: a wave needs only names of the waves before it.

    Needs outside of the names, and of a name for itself, do not count. A cycle, which records written at different
    times can form, is broken at its first name.
    """
    rest = set(needs)
    found = []
    while rest:
        wave = sorted(name for name in rest if not (rest & set(needs[name])) - {name}) or [min(rest)]
        found.append(tuple(wave))
        rest.difference_update(wave)
    return tuple(found)


def positions(needs: Mapping[str, Collection[str]]) -> dict[str, int]:
    """Return each name's place in a sequence that has every name after what it needs."""
    return {name: place for place, name in enumerate(name for wave in waves(needs) for name in wave)}
