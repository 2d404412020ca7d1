"""The history of runs: one JSON object a line, appended. It may be lost without harm."""

import json
import os
from contextlib import suppress

from reconciler.canonical_json import Json, canonical_text
from reconciler.errors import StateError
from reconciler.state.layout import Layout


def append_history(layout: Layout, entry: dict[str, Json]) -> None:
    """Append one run; a history that cannot be written fails no run."""
    line = (canonical_text(entry) + "\n").encode("ascii")
    with suppress(OSError):
        descriptor = os.open(layout.history, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            size = os.fstat(descriptor).st_size
            torn = (
                size > 0 and os.pread(descriptor, 1, size - 1) != b"\n"
            )  # a run that was cut short takes no other along
            os.write(descriptor, b"\n" + line if torn else line)  # one write: lines of two processes never mix
        finally:
            os.close(descriptor)


def read_history(layout: Layout) -> list[dict[str, Json]]:
    """Return the runs, oldest first; a line that was cut short is left out. Raises StateError."""
    try:
        lines = layout.history.read_bytes().splitlines()
    except FileNotFoundError:
        return []
    except OSError as error:
        raise StateError(f"{layout.history}: {error.strerror}") from error
    runs = []
    for line in lines:
        with suppress(ValueError, RecursionError):
            entry = json.loads(line)
            if isinstance(entry, dict):
                runs.append(entry)
    return runs
