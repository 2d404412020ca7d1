"""An error that is no list of manifest problems, as text; those are `reconciler.render.problems`."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from reconciler.errors import EnvsyncError
from reconciler.events import Failure
from reconciler.render.escape import shown
from reconciler.render.style import Palette, Style


def render_error(error: EnvsyncError, palette: Palette) -> str:
    """Return `error: ...`, the details indented below it, and `hint: ...`; the text ends with a line end."""
    return _told(error.message, error.details, error.hint, palette)


def render_failures(failures: Mapping[str, Failure], palette: Palette) -> str:
    """Return each failure as an error, once for all the environments that share it."""
    sharing: dict[Failure, list[str]] = {}
    for name, failure in failures.items():
        message = failure.message.removeprefix(f"environments.{name}: ")
        sharing.setdefault(replace(failure, message=message), []).append(name)
    return "".join(
        _told(f"{', '.join(names)}: {failure.message}", failure.details, failure.hint, palette)
        for failure, names in sharing.items()
    )


def _told(message: str, details: Iterable[str], hint: str | None, palette: Palette) -> str:
    lines = [f"{palette.paint('error:', Style.REFUSED)} {shown(message)}"]
    lines += detail_lines(details, indent=4)
    if hint:
        lines.append(f"{palette.paint('hint:', Style.NOTED)} {shown(hint)}")
    return "".join(f"{line}\n" for line in lines)


def detail_lines(details: Iterable[str], *, indent: int) -> list[str]:
    """Return a child's last lines, or a message's particulars, each on a line of its own behind `indent` spaces."""
    return [(" " * indent + shown(line.expandtabs(4))).rstrip() for each in details for line in each.splitlines()]
