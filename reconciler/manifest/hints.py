"""Hints for unknown names: 'did you mean', or the list of known names."""

import difflib
from collections.abc import Iterable
from itertools import islice

from reconciler.backticks import list_in_backticks

_LONGEST_COMPARED = 200  # characters; names are shorter
_MAX_COMPARED = 300  # difflib takes a few microseconds for each


def closest_match(word: str, known: Iterable[str]) -> str | None:
    """Return the name in `known` that `word` is most likely a misspelling or abbreviation of, or None."""
    if len(word) > _LONGEST_COMPARED:
        return None
    folded = word.lower().replace("-", "_")
    by_fold = {
        each.lower().replace("-", "_"): each for each in islice(known, _MAX_COMPARED) if len(each) <= _LONGEST_COMPARED
    }
    found = difflib.get_close_matches(folded, sorted(by_fold), n=1, cutoff=0.6)
    if found:
        return by_fold[found[0]]
    starts = sorted(each for fold, each in by_fold.items() if len(folded) > 1 and fold.startswith(folded))
    return starts[0] if len(starts) == 1 else None


def suggest(replacement: str) -> str:
    """Return the hint to write `replacement` instead, which is never cut: it must work as it is."""
    return f"did you mean `{replacement}`?"


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return the hint to write the closest match in `known` instead of `word`, or an empty string if none is close."""
    match = closest_match(word, known)
    return suggest(match) if match else ""


def known_names_hint(word: str, known: Iterable[str], *, noun: str) -> str:
    """Return a hint for an unknown name: the closest match, or the known names (at most ten).

    `noun` is the plural of what is named (`templates`).
    """
    names = sorted(known)
    if not names:
        return f"define it first, or leave it out: no {noun} are defined"
    return did_you_mean(word, names) or f"use one of the {noun}: {list_in_backticks(names)}"
