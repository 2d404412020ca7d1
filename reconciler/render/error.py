"""An error that is no list of manifest problems, as text; those are `reconciler.render.problems`."""

from collections.abc import Iterable

from reconciler.errors import EnvsyncError
from reconciler.render.escape import shown
from reconciler.render.style import Palette, Style


def render_error(error: EnvsyncError, palette: Palette) -> str:
    """Return `error: ...`, the details indented below it, and `hint: ...`; the text ends with a line end."""
    lines = [f"{palette.paint('error:', Style.REFUSED)} {shown(error.message)}"]
    lines += detail_lines(error.details, indent=4)
    if error.hint:
        lines.append(f"{palette.paint('hint:', Style.NOTED)} {shown(error.hint)}")
    return "".join(f"{line}\n" for line in lines)


def detail_lines(details: Iterable[str], *, indent: int) -> list[str]:
    """Return a child's last lines, or a message's particulars, each on a line of its own behind `indent` spaces."""
    return [(" " * indent + shown(line.expandtabs(4))).rstrip() for each in details for line in each.splitlines()]
