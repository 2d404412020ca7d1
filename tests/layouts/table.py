"""The table of results, for a terminal and for docs/compatibility.md."""

from collections.abc import Sequence

from tests.layouts.catalog import LAYOUTS
from tests.layouts.edits import EDITS
from tests.layouts.trial import BUILT, EDITABLE, START, Result


def table(results: Sequence[Result]) -> str:
    """Return a Markdown table with a row for each layout: the verdict about the editable and the other environment."""
    edits = [name for name in (START, *EDITS) if any(each.edit == name for each in results)]
    found = {(each.layout, each.edit, each.environment): each for each in results}
    lines = [f"| layout | {' | '.join(edits)} |", f"|---|{'---|' * len(edits)}"]
    for layout in LAYOUTS:
        if any(each.layout == layout for each in results):
            cells = [_cell([found.get((layout, edit, each)) for each in (EDITABLE, BUILT)]) for edit in edits]
            lines.append(f"| {layout} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def faults(results: Sequence[Result]) -> str:
    """Return the reasons of each result that is not as it must be; the same reasons after a later edit only once."""
    lines = []
    known: dict[tuple[str, str, tuple[str, ...]], str] = {}
    for each in results:
        if each.bad:
            first = known.setdefault((each.layout, each.environment, each.reasons), each.edit)
            again = f", for the same reasons as after {first}" if each.reasons and first != each.edit else ""
            lines.append(f"{each.layout}, {each.edit}, {each.environment}: {each.verdict}{again}")
            lines += [f"    {reason}" for reason in each.reasons[:4] if not again]
            lines += [f"    left behind: {place}" for place in each.left_behind[:4]]
    return "".join(f"{line}\n" for line in lines)


def _cell(pair: Sequence[Result | None]) -> str:
    verdicts = [f"{each.verdict}{', left files' if each.left_behind else ''}" for each in pair if each is not None]
    return verdicts[0] if len(set(verdicts)) == 1 else " / ".join(verdicts)
