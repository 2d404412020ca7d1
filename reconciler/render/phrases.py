"""Small phrases that every format words in the same way: counts and durations."""


def count(number: int, noun: str) -> str:
    """Return a number with its noun: `1 package`, `2 packages`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def duration(seconds: float) -> str:
    """Return a duration as people read it: `0.4s`, `12.3s`, `2m05s`."""
    if seconds < 59.95:
        return f"{seconds:.1f}s"
    rounded = round(seconds)
    return f"{rounded // 60}m{rounded % 60:02}s"
