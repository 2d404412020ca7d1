"""Which index serves which package: pinned indexes, and the default index (docs/design.md, "Indexes")."""

from collections.abc import Collection
from fnmatch import fnmatchcase

from reconciler.manifest.desired import Index
from reconciler.manifest.urls import canonical_url

# The index that the engine uses if nothing else is set. Only the engine knows its URL.
DEFAULT_INDEX = Index(name="", url="")


def chosen_indexes(indexes: tuple[Index, ...], names: Collection[str]) -> tuple[Index, ...]:
    """Return those of the manifest's `indexes` that an environment names, in their order; all if it names none."""
    return tuple(each for each in indexes if not names or each.name in names)


def used_indexes(indexes: tuple[Index, ...], names: Collection[str]) -> tuple[Index, ...]:
    """Return the `chosen_indexes`, with the default index at the end, unless one of them replaces it.

    Without any index the result is empty, which means the default index alone.
    """
    chosen = chosen_indexes(indexes, names)
    if not chosen or any(each.replaces_default for each in chosen):
        return chosen
    return (*chosen, DEFAULT_INDEX)


def may_serve(index: Index, name: str, indexes: tuple[Index, ...]) -> bool:
    """Return whether the package `name` (normalized) may come from `index`, one of `indexes`.

    A package that is pinned comes only from the indexes that it is pinned to, and these serve nothing else.
    """
    return index in (pinned_to(name, indexes) or tuple(each for each in indexes if not each.packages))


def pinned_to(name: str, indexes: tuple[Index, ...]) -> tuple[Index, ...]:
    """Return those of `indexes` that the package `name` (normalized) is pinned to."""
    return tuple(each for each in indexes if any(fnmatchcase(name, pattern) for pattern in each.packages))


def index_of_url(url: str, indexes: tuple[Index, ...]) -> Index | None:
    """Return the index that a URL belongs to: the one with the longest URL that it starts with, or the only one there.

    `there` is the same scheme, host and port: an index may keep its files next to its pages. None if it is unclear.
    """
    wanted = canonical_url(url)
    known = [each for each in indexes if each is not DEFAULT_INDEX]
    below = [each for each in known if f"{wanted}/".startswith(f"{canonical_url(each.url)}/")]
    if below:
        return max(below, key=lambda each: len(canonical_url(each.url)))
    origin = _origin(wanted)
    there = [each for each in known if _origin(canonical_url(each.url)) == origin]
    return there[0] if len(there) == 1 else None


def _origin(url: str) -> list[str]:
    """Return scheme and host with port of a canonical URL."""
    return url.split("/", 3)[:3]
