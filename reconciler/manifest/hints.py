"""'Did you mean': the closest of the words that would have been right."""

import difflib
from collections.abc import Iterable
from itertools import islice

_MOST_COMPARED = 300  # difflib takes some microseconds for each


def closest(word: str, known: Iterable[str]) -> str | None:
    """Return the one of `known` that `word` most likely stands for, or None."""
    folded = word.lower().replace("-", "_")
    by_fold = {each.lower().replace("-", "_"): each for each in islice(known, _MOST_COMPARED)}
    found = difflib.get_close_matches(folded, sorted(by_fold), n=1, cutoff=0.6)
    if found:
        return by_fold[found[0]]
    starts = sorted(each for fold, each in by_fold.items() if len(folded) > 1 and fold.startswith(folded))
    return starts[0] if len(starts) == 1 else None


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return a hint naming the closest of `known`, or empty."""
    match = closest(word, known)
    return f"did you mean `{match}`?" if match else ""


def one_of(word: str, known: Iterable[str], *, noun: str, limit: int = 10) -> str:
    """Return a hint: the closest of `known`, else all of them (at most `limit`), else that there are none."""
    names = sorted(known)
    if not names:
        return f"there are no {noun}"
    listed = ", ".join(names[:limit]) + (", ..." if len(names) > limit else "")
    return did_you_mean(word, names) or f"{noun}: {listed}"
