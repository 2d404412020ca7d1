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


def size_text(size: int) -> str:
    """Return a number of bytes in the unit that suits it: `0 B`, `4 KiB`, `1.5 MiB`, `12 GiB`."""
    value, unit = float(size), "B"
    for unit in ("B", "KiB", "MiB", "GiB", "TiB"):
        if value < 999.5 or unit == "TiB":
            break
        value /= 1024
    return f"{value:.1f} {unit}" if unit != "B" and value < 9.95 and value != int(value) else f"{value:.0f} {unit}"
