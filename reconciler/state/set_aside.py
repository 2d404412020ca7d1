"""The marks of a generation that a rollback must not pick silently, although it may equal its seal."""

from contextlib import suppress

from reconciler.fs.own_files import read_own
from reconciler.state.layout import Generation

_LIMIT_BYTES = 1 << 20


def set_aside_because(generation: Generation) -> str:
    """Return why a generation was replaced: it had drifted, or it failed; an empty string if neither is known."""
    if generation.drifted.exists():
        return "was replaced because it had drifted"
    if generation.failed.exists():
        reason = failure_of(generation)
        return f"was rolled back: {reason}" if reason else "was rolled back because it failed"
    return ""


def failure_of(generation: Generation) -> str:
    """Return why a generation failed after it was published, empty if it did not, or if that cannot be read."""
    with suppress(OSError):
        return read_own(str(generation.failed), limit=_LIMIT_BYTES).decode("utf-8", "replace").strip()
    return ""
