"""Checks whether an environment can be renamed: the numbers of its generations must be unused under the new name."""

import os
from collections.abc import Mapping
from contextlib import suppress

from reconciler.state.former_name import generation_link
from reconciler.state.layout import Layout


def conflicting_numbers(layout: Layout, old: str, new: str) -> list[int]:
    """Return the generations of `old` whose numbers an earlier environment `new` has used; raises StateError."""
    return [
        number
        for number in layout.generation_numbers(old)
        if (home := layout.generation(old, number).home) != new
        and os.path.lexists(path := layout.generations(new) / str(number))
        and _link(str(path)) != generation_link(home, number)
    ]


def first_conflicts(layout: Layout, renames: Mapping[str, str]) -> dict[str, int]:
    """Return the first conflicting number of each rename (former name by new name) that has one; raises StateError."""
    found = {new: conflicting_numbers(layout, old, new)[:1] for new, old in renames.items()}
    return {new: numbers[0] for new, numbers in found.items() if numbers}


def _link(path: str) -> str:
    with suppress(OSError):
        return os.readlink(path)  # noqa: PTH115  # the text itself
    return ""
