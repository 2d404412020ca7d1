"""Every directory is examined once, in order, from a directory above it or from itself."""

from hypothesis import given
from hypothesis import strategies as st

from reconciler.fastpath.relative_paths import relative_paths

NAMES = st.sampled_from(["a", "b", "ab", "a.b", "é", "lib"])


def in_inventory_order(paths: set[tuple[str, ...]]) -> list[str]:
    """Return directories as an inventory has them: the venv, then parents before children, sorted by name."""
    every = {path[:depth] for path in paths for depth in range(len(path) + 1)} | {()}
    return ["/".join(path) for path in sorted(every)]


@given(paths=st.sets(st.lists(NAMES, max_size=6).map(tuple), max_size=60), wide=st.integers(0, 120))
def test_each_directory_is_examined_once_and_in_order(paths: set[tuple[str, ...]], wide: int) -> None:
    directories = in_inventory_order(paths | {("lib", "a", "b", "lib", f"n{number}") for number in range(wide)})
    joined, found = relative_paths(tuple(directories))
    assert [number for _, start, stop in found for number in range(start, stop)] == list(range(len(directories)))
    for base, start, stop in found:
        for directory in directories[start:stop]:
            assert directory == base or not base or directory.startswith(f"{base}/")
    bases = [base for base, start, stop in found for _ in range(start, stop)]
    assert [f"{base}/{path}".strip("/") for base, path in zip(bases, joined.split("\0"), strict=True)] == directories


def test_a_directory_with_many_below_it_is_a_base_directory() -> None:
    many = [f"lib/site/django/locale/{number:03}" for number in range(100)]
    above = ["", "bin", "lib", "lib/site", "lib/site/django", "lib/site/django/locale"]
    _, found = relative_paths((*above, *many, "lib/site/zope"))
    assert ("lib/site/django/locale", 5, 106) in found
    assert found[-1][0] != "lib/site/django/locale"


def test_a_small_venv_has_no_base_directory_but_itself() -> None:
    assert relative_paths(("", "bin", "lib", "lib/site")) == ("\0bin\0lib\0lib/site", [("", 0, 4)])
