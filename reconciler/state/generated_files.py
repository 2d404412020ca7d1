"""Files that builds wrote into the source trees of editable projects, as the builds of this root know them.

They are results of a build and not its input, as long as they have the same contents. The file is a cache: without it
they count as sources, so that the next check reports a change.
"""

import os
import threading
from collections.abc import Mapping
from contextlib import suppress
from typing import TypeAlias

from reconciler.canonical_json import Json
from reconciler.fs.atomic_write import write_cache
from reconciler.fs.authentic_json import authentic_json, read_authentic_json
from reconciler.state.layout import Layout

# By absolute path, without symbolic links: what a build made there (`reconciler.lock.file_digests.file_state`).
GeneratedFiles: TypeAlias = Mapping[str, str]
NOTHING_GENERATED: GeneratedFiles = {}

_FORMAT = 1
_writing = threading.Lock()


def read_generated_files(layout: Layout) -> GeneratedFiles:
    """Return the generated files; none if the cache is missing or damaged, or has another format."""
    try:
        stored = read_authentic_json(str(layout.generated_files))
    except (OSError, ValueError):
        return NOTHING_GENERATED
    files = stored.get("files") if stored.get("format") == _FORMAT else None
    if not isinstance(files, dict) or not all(isinstance(each, str) for each in files.values()):
        return NOTHING_GENERATED
    return files


def write_generated_files(layout: Layout, found: Mapping[str, str | None]) -> None:
    """Add files to the cache, and remove those with None; an error is ignored, as the cache may be missing.

    The files of deleted projects are removed too.
    """
    with _writing, suppress(OSError):
        before = read_generated_files(layout)
        known = {path: state for path, state in {**before, **found}.items() if state and os.path.lexists(path)}
        if known != before:
            stored: dict[str, Json] = {"format": _FORMAT, "files": {**known}}
            write_cache(layout.generated_files, authentic_json(str(layout.generated_files), stored))
