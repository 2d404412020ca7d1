"""Makes the engine. Nothing outside `reconciler.engines` knows which package tool it is."""

from collections.abc import Mapping
from pathlib import Path

from reconciler.engines.deadlines import Deadlines
from reconciler.engines.engine import Engine
from reconciler.engines.uv import UvEngine
from reconciler.interpreters.permitted import ForbiddenPlaces


def make_engine(
    *,
    ambient: Mapping[str, str],
    cache: Path | None,
    index_names: tuple[str, ...],
    inherited_descriptor: int | None,
    deadlines: Deadlines | None,
    places: ForbiddenPlaces,
) -> Engine:
    """Return the engine: uv, with its cache in the directory `cache` (None: the user's own, which is not in `places`).

    Its children see of the `ambient` variables only those on an allow-list, and the credentials of `index_names`. They
    keep `inherited_descriptor` open, so that a root stays locked while one of them runs.
    """
    return UvEngine(
        ambient=ambient,
        cache=cache,
        index_names=index_names,
        lock_fd=inherited_descriptor,
        deadlines=deadlines,
        places=places,
    )
