r"""Errors as text: `error: ...`, details, and `hint: ...`; for a manifest's problems, the lines that they are about."""

from collections.abc import Iterable, Mapping

from reconciler.errors import EnvsyncError, ManifestError, Problem
from reconciler.events import Failure
from reconciler.render.escape import escape, sanitize
from reconciler.render.manifest_option import with_manifest_option
from reconciler.render.style import Palette, Style
from reconciler.render.text_width import cell_width

_MAX_PROBLEMS = 100  # a person starts with the first ones anyway


def render_error(error: EnvsyncError, palette: Palette) -> str:
    """Return `error: ...`, the details indented below it, and `hint: ...`; the text ends with a line end."""
    return _error(error.message, error.details, error.hint, palette)


def render_failures(failures: Mapping[str, Failure], palette: Palette) -> str:
    """Return failures by environment as errors; environments that share a failure are named together."""
    names_by_failure: dict[Failure, list[str]] = {}
    for name, failure in failures.items():
        names_by_failure.setdefault(failure, []).append(name)
    return "".join(
        _error(f"{', '.join(names)}: {failure.message}", failure.details, failure.hint, palette)
        for failure, names in names_by_failure.items()
    )


def render_problems(error: ManifestError) -> str:
    r"""Return a manifest's problems as plain text, at most 100 of them; control characters are shown as `\x1b`."""
    problems = [_problem(problem) for problem in error.problems[:_MAX_PROBLEMS]]
    if len(error.problems) > _MAX_PROBLEMS:
        more = len(error.problems) - _MAX_PROBLEMS
        problems.append(f"error: {f'more than {more - 1}' if error.incomplete else more} more problems\n")
    return "\n".join(problems)


def detail_lines(details: Iterable[str], *, indent: int) -> list[str]:
    """Return an error's details, such as a child's last lines, each on a line of its own behind `indent` spaces."""
    return [(" " * indent + sanitize(line.expandtabs(4))).rstrip() for each in details for line in each.splitlines()]


def _error(message: str, details: Iterable[str], hint: str | None, palette: Palette) -> str:
    lines = [f"{palette.paint('error:', Style.REFUSED)} {sanitize(message)}"]
    lines += detail_lines(details, indent=4)
    if hint:
        lines.append(f"{palette.paint('hint:', Style.NOTED)} {sanitize(hint)}")
    return "".join(f"{line}\n" for line in lines)


def _problem(problem: Problem) -> str:
    """Return one problem: its place, path and message, the manifest's lines with the place marked, and a hint."""
    parts = [str(problem.place) if problem.place else "", problem.path, problem.message]
    lines = ["error: " + escape(with_manifest_option(": ".join(part for part in parts if part)))]
    width = max([4, *(len(str(number)) for number, _ in problem.context)])
    for number, text in problem.context:
        lines.append(f" {number:>{width}} | {escape(text)}".rstrip())
    if problem.caret and problem.context:
        column, length = problem.caret
        text = problem.context[-1][1]
        before, marked = text[: column - 1], text[column - 1 : column - 1 + length]
        carets = "^" * max(1, cell_width(escape(marked)))
        lines.append(f" {'':>{width}} | {' ' * cell_width(escape(before))}{carets}")
    if problem.hint:
        lines.append("hint: " + escape(with_manifest_option(problem.hint)))
    return "".join(line + "\n" for line in lines)
