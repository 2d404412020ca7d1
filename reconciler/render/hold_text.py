"""A hold in words: its reason, who held the environment, and since when, in local time."""

from reconciler.render.escape import sanitize
from reconciler.render.local_time import local_time
from reconciler.state.hold import Hold


def hold_text(hold: Hold) -> str:
    """Return a hold as one line, sanitized: `INC-42 (alice, since 2026-11-30 10:12+01:00)`."""
    return f"{sanitize(hold.reason)} ({sanitize(hold.by)}, since {sanitize(local_time(hold.since))})"
