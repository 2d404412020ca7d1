"""Regular expressions for wildcards that need linear time, whatever they are compared with."""

from collections.abc import Sequence


def any_between(one: str, parts: Sequence[str]) -> str:
    """Return an expression for `parts` with any number of the character `one` between them.

    Each part must match texts of one length only. It is looked for from left to right, and its first place is kept
    (`(?>...)`): if the rest does not match after it, it does not match after a later place either.
    """
    first, *rest = parts
    middle = "".join(f"(?>{one}*?{each})" for each in rest[:-1] if each)
    return first + middle + (f"{one}*{rest[-1]}" if rest else "")
