"""On how many processors the system lets this process run. Imports only modules that load fast."""

from __future__ import annotations

import os


def processors_of_affinity() -> int:
    """Return the number of processors, those of the machine where the system has no affinity."""
    try:
        return len(os.sched_getaffinity(0))
    except (AttributeError, OSError):  # macOS has no such function, and a filter of system calls may refuse it
        return os.cpu_count() or 1
