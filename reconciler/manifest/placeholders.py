"""Placeholders: `{AXIS}` in the texts of an environment with a matrix is the value of that axis.

They are replaced, never evaluated: a placeholder has no conversions, formats or attributes. `{{` and `}}` are braces.
"""

import re
from collections.abc import Collection, Iterator, Mapping
from functools import partial

from reconciler.backticks import in_backticks
from reconciler.manifest.hints import known_names_hint, suggest
from reconciler.manifest.invalid_text import InvalidTextError
from reconciler.manifest.requirement import normalize_requirement
from reconciler.manifest.urls import forbid_credentials

# The keys of an environment in which placeholders are replaced.
TEXT_KEYS = ("packages", "description", "env", "labels")

_PART = re.compile(r"\{\{|\}\}|\{(?P<inside>[^{}]*)\}|[{}]")
_NAME = re.compile(r"[a-z][a-z0-9_-]*")
_PLACEHOLDER = re.compile(r"(?<![{$])\{[a-z][a-z0-9_-]*\}")
_LONGEST_SUGGESTION = 200  # characters


def normalize_package(text: str) -> str:
    """Return a requirement, normalized; unchanged if it has a placeholder. Raises InvalidTextError.

    A requirement with placeholders is validated when they are replaced.
    """
    try:
        return normalize_requirement(text)
    except InvalidTextError:
        if has_placeholder(text):
            forbid_credentials(text)
            return text
        raise


def is_requirement(text: str) -> bool:
    """Return whether a text is a valid requirement as it is."""
    try:
        normalize_requirement(text)
    except InvalidTextError:
        return False
    return True


def has_placeholder(text: str) -> bool:
    """Return whether a text contains anything that looks like a placeholder, whether or not the axis exists."""
    return "{" in text and _PLACEHOLDER.search(text) is not None


def used_axes(text: str) -> frozenset[str]:
    """Return the names in the placeholders of a text."""
    return frozenset(each["inside"] for each in _PART.finditer(text) if _NAME.fullmatch(each["inside"] or ""))


def replace_placeholders(text: str, values: Mapping[str, str]) -> str:
    """Return a text with its placeholders replaced by the `values` of the axes; raises InvalidTextError.

    If `python` is the only axis, a text without `{python}` is returned as it is: JSON needs no `{{` there.
    """
    if values.keys() == {"python"} and "{python}" not in text:
        return text
    return "".join(_replaced(text, values))


def replace_in_requirement(text: str, values: Mapping[str, str]) -> str:
    """Return a requirement with its placeholders replaced, not yet normalized; raises InvalidTextError.

    A text that is only valid after its placeholders are replaced is never returned as it is.
    """
    if has_placeholder(text) and not is_requirement(text):
        return "".join(_replaced(text, values))
    return replace_placeholders(text, values)


def _replaced(text: str, values: Mapping[str, str]) -> Iterator[str]:
    end = 0
    for part in _PART.finditer(text):
        yield text[end : part.start()]
        end = part.end()
        inside = part["inside"]
        if part[0] in {"{{", "}}"}:
            yield part[0][0]
        elif inside in values:
            yield values[inside]
        elif inside is not None and _NAME.fullmatch(inside):
            raise InvalidTextError(
                f"no axis named {in_backticks(inside)} in the matrix",
                hint=known_names_hint(inside, values, noun="axes"),
                offset=part.start() + 1,
                width=len(inside),
            )
        else:
            message = "a brace outside a placeholder" if inside is None else "not a placeholder"
            raise InvalidTextError(
                f"{message}: {in_backticks(part[0])}",
                hint=_corrected(text, values),
                offset=part.start(),
                width=len(part[0]),
            )
    yield text[end:]


def _corrected(text: str, axes: Collection[str]) -> str:
    """Return the hint with the whole text, its braces doubled and its placeholders kept."""
    suggestion = _PART.sub(partial(_doubled, axes), text)
    return suggest(suggestion) if len(suggestion) <= _LONGEST_SUGGESTION else "write `{{` and `}}` for braces"


def _doubled(axes: Collection[str], part: re.Match[str]) -> str:
    """Return a part of a text as it must be written: a brace twice, a placeholder without anything but its name."""
    inside = part["inside"]
    if part[0] in {"{{", "}}"} or inside in axes:
        return part[0]
    if inside is None:
        return part[0] * 2
    name = re.fullmatch(rf"({_NAME.pattern})([!:.\[].*)?", inside.strip())
    if name and name[1] in axes:  # `{django!r}`, `{ django }`
        return f"{{{name[1]}}}"
    return f"{{{part[0]}}}"
