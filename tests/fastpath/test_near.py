"""Every directory is looked at once, in order, from a place above it; many below one place are looked at from there."""

from hypothesis import given
from hypothesis import strategies as st

from reconciler.fastpath.near_paths import near

NAMES = st.sampled_from(["a", "b", "ab", "a.b", "é", "lib"])


def walked(paths: set[tuple[str, ...]]) -> list[str]:
    """Return directories as an inventory has them: the top, then parents before children, sorted by name."""
    every = {path[:depth] for path in paths for depth in range(len(path) + 1)} | {()}
    return ["/".join(path) for path in sorted(every)]


@given(paths=st.sets(st.lists(NAMES, max_size=6).map(tuple), max_size=60), wide=st.integers(0, 120))
def test_each_directory_is_looked_at_once_and_in_order(paths: set[tuple[str, ...]], wide: int) -> None:
    directories = walked(paths | {("lib", "a", "b", "lib", f"n{number}") for number in range(wide)})
    ways, found = near(tuple(directories))
    assert [number for _, start, stop in found for number in range(start, stop)] == list(range(len(directories)))
    for station, start, stop in found:
        for directory in directories[start:stop]:
            assert directory == station or not station or directory.startswith(f"{station}/")
    standing = [station for station, start, stop in found for _ in range(start, stop)]
    assert [f"{place}/{way}".strip("/") for place, way in zip(standing, ways.split("\0"), strict=True)] == directories


def test_a_place_with_much_below_it_is_entered_and_left_again() -> None:
    many = [f"lib/site/django/locale/{number:03}" for number in range(100)]
    above = ["", "bin", "lib", "lib/site", "lib/site/django", "lib/site/django/locale"]
    _, found = near((*above, *many, "lib/site/zope"))
    assert ("lib/site/django/locale", 5, 106) in [(place, start, stop) for place, start, stop in found if place]
    assert found[-1][0] != "lib/site/django/locale"


def test_where_little_is_all_is_looked_at_from_the_top() -> None:
    assert near(("", "bin", "lib", "lib/site")) == ("\0bin\0lib\0lib/site", [("", 0, 4)])
