"""Whether the user's own package cache (`cache: user`) can only have contents that the user's own uv put there.

What a wheel in it contains is believed at first sight, as are facts about interpreters. So it must not come with a
commit, and no other user may write to it.
"""

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from reconciler.errors import UnsafeCacheError
from reconciler.fs.path_steps import steps_to
from reconciler.fs.writers import other_writer
from reconciler.interpreters.permitted import ForbiddenPlaces

_HINT = (
    "set `XDG_CACHE_HOME` to a directory outside of the repository that only this user may write to, or remove "
    "`cache: user` from the manifest"
)


def refuse_unsafe_cache(cache: Path, places: ForbiddenPlaces) -> None:
    """Raise UnsafeCacheError if a cache (absolute; it need not exist), or the target of a link in it, is unsafe.

    It must be outside of the repository, of every root and of every virtual environment. As with an interpreter, no
    other user may write to a directory on the way to it.
    """
    for path in (cache, *_links(cache)):
        where = places.around(f"{os.path.realpath(path)}/")
        who = ""
        with suppress(OSError):  # what does not exist yet, uv makes, or says why not
            for step, status in steps_to(str(path)):
                where = where or places.around(f"{step}/")
                if not who and (writer := other_writer(step, status)):
                    who = f"`{step}` belongs to {writer}" if writer.by == "owner" else f"{writer} may write to `{step}`"
        if where:
            raise UnsafeCacheError(f"the package cache `{path}` is in {where}", hint=_HINT)
        if who:
            raise UnsafeCacheError(f"the package cache `{path}` is not safe: {who}", hint=_HINT)


def _links(cache: Path) -> Iterator[Path]:
    """Yield the symbolic links in a cache: a user may have moved a part of it to a different disk."""
    with suppress(OSError), os.scandir(cache) as entries:
        yield from (Path(each.path) for each in entries if each.is_symlink())
