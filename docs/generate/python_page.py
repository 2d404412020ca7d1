"""The reference part of `docs/python.md`: the public names with their signatures, fields and methods."""

from collections.abc import Iterator, Sequence

from docs.generate.markdown import code, fenced, prose, table
from docs.generate.public_api import PublicName, error_classes
from reconciler.errors import EnvsyncError

_SECTIONS = {
    "function": "Functions",
    "class": "Classes",
    "enum": "Enumerations",
    "error": "Errors",
    "value": "Other names",
}


def python_reference(names: Sequence[PublicName]) -> str:
    """Return the reference of the public names, grouped by what they are."""
    sections = (_section(kind, [each for each in names if each.kind == kind]) for kind in _SECTIONS)
    return "\n\n".join(part for section in sections for part in section)


def _section(kind: str, names: Sequence[PublicName]) -> Iterator[str]:
    if not names:
        return
    yield f"## {_SECTIONS[kind]}"
    for each in names:
        yield f"### {code(each.name)}"
        yield from map(prose, each.paragraphs)
        if each.signature:
            yield fenced(each.signature, "python")
        yield from _members(each)
    if kind == "error":
        yield "### All errors"
        yield "These classes are in `reconciler.errors`. An `except` of a base also catches its subclasses."
        yield table(["class", "base", "`code`", "`exit_code`"], map(_error, error_classes()))


def _error(error: type[EnvsyncError]) -> list[str]:
    return [code(error.__name__), code(error.__bases__[0].__name__), code(error.code), str(error.exit_code)]


def _members(owner: PublicName) -> Iterator[str]:
    fields = [each.text for each in owner.members if each.kind == "field"]
    if fields:
        yield fenced("\n".join(fields), "python")
    properties = [each for each in owner.members if each.kind == "property"]
    if properties:
        yield "\n".join(f"- {code(each.text)}: {prose(' '.join(each.paragraphs))}" for each in properties)
    for method in owner.members:
        if method.kind == "method":
            yield f"#### {code(f'{owner.name}.{method.name}')}"
            yield from map(prose, method.paragraphs)
            yield fenced(method.text, "python")
