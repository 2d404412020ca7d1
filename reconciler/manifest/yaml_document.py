"""Reads YAML as plain values with the line and column of each; only the subset of YAML that a manifest may use.

Values are built from the parser's events. PyYAML's composer expands aliases (414 bytes can become gigabytes), forgets
the names of anchors, keeps the last of duplicate keys, and its recursion is as deep as the file's nesting.
"""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NoReturn, TypeAlias

import yaml

from reconciler.backticks import in_backticks
from reconciler.errors import ManifestError, Place, Problem
from reconciler.manifest.control_characters import control_character, unprintable_characters
from reconciler.manifest.problem_limit import MOST_PROBLEMS, manifest_error
from reconciler.manifest.source_text import KeyPath, SourceText, masked_problem, problem_at
from reconciler.manifest.text_file import TextFile
from reconciler.manifest.yaml_scalars import AmbiguousNumberError, Scalar, plain_scalar

if TYPE_CHECKING:
    from reconciler.manifest.masked_source import SourceMask

MAX_DEPTH = 32
MOST_VALUES = 50_000  # of a file, with its keys; a manifest with 1,000 environments has some 20,000
_TOO_DEEP = f"nested deeper than {MAX_DEPTH} levels"

Value: TypeAlias = "Scalar | tuple[Value, ...] | dict[str, Value]"

_IN_QUOTES = "put the value in quotes"
_INSTEAD = "write the value out, or share it with `templates` and `extends`"


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """One YAML document: plain values (lists are tuples), their places, and the errors in the YAML itself.

    `broken` are the key paths of values that must not be checked further, because a problem is already reported there.
    """

    value: Value
    source: SourceText
    problems: tuple[Problem, ...]
    broken: frozenset[KeyPath]


def read_document(file: str, content: TextFile) -> Document:
    """Return the one document of a YAML text; raises ManifestError if it cannot be parsed to the end."""
    return _Reader(file, content).read()


@dataclass(slots=True, kw_only=True)
class _OpenCollection:
    """A list or mapping whose end is not read yet; `key` is the key whose value comes next.

    `recorded` is False inside of ignored values: a second value for the same key, or the value of a key that is not a
    string.
    """

    path: KeyPath
    place: Place
    items: "list[Value] | dict[str, Value]"
    recorded: bool
    key: str | None = None
    key_usable: bool = True
    key_places: dict[str, Place] = field(default_factory=dict)


class _Reader:
    """Reads parser events and keeps the open lists and mappings on a stack of at most `MAX_DEPTH`."""

    def __init__(self, file: str, content: TextFile) -> None:
        self.file = file
        self.content = content
        self.lines = tuple(content.text.replace("\r\n", "\n").replace("\r", "\n").split("\n"))
        self.values: dict[KeyPath, Place] = {}
        self.keys: dict[KeyPath, Place] = {}
        self.written: dict[KeyPath, str] = {}
        self.problems: list[Problem] = []
        self.broken: set[KeyPath] = set()
        self.stack: list[_OpenCollection] = []
        self.root: list[Value] = []
        self.aliased: set[str] = set()
        self.left = MOST_VALUES

    def read(self) -> Document:
        for line, column, character in unprintable_characters(self.lines):
            place = Place(file=self.file, line=line, column=column)
            self._report(place, f"control characters are not allowed: `{character}`", hint="remove it")
        if self.problems:
            raise ManifestError(tuple(self.problems))
        loader = yaml.CSafeLoader(self.content.text)
        try:
            self._events(loader)
        except yaml.MarkedYAMLError as error:
            self._stop_at(error)
        finally:
            loader.dispose()
        source = SourceText(
            file=self.file,
            sha256=self.content.sha256,
            lines=self.lines,
            values=self.values,
            keys=self.keys,
            written=self.written,
        )
        if not self.root or self.root[0] is None:
            hint = "start it with `version: 1` and `project: NAME`"
            problem = problem_at(Place(file=self.file, line=1, column=1), (), "the manifest is empty", hint=hint)
            raise ManifestError((*self.problems, problem))
        return Document(value=self.root[0], source=source, problems=tuple(self.problems), broken=frozenset(self.broken))

    def _events(self, loader: yaml.CSafeLoader) -> None:
        while loader.check_event():
            event: Any = loader.get_event()
            match event:
                case yaml.DocumentStartEvent():
                    if self.root:
                        hint = "remove this `---` and everything after it"
                        self._report(self._place(event), "the file contains more than one YAML document", hint=hint)
                        return
                case yaml.MappingStartEvent():
                    self._open(event, {})
                case yaml.SequenceStartEvent():
                    self._open(event, [])
                case yaml.MappingEndEvent() | yaml.SequenceEndEvent():
                    self._close(event)
                case yaml.AliasEvent():
                    self._alias(event)
                case yaml.ScalarEvent():
                    self._scalar(loader, event)
                case _:
                    pass  # the start and end of the stream, the end of the document

    def _open(self, event: Any, items: "list[Value] | dict[str, Value]") -> None:
        place, path, recorded = self._place(event), self._path(), self._recorded()
        if len(self.stack) == MAX_DEPTH:
            self._fail(place, _TOO_DEEP, path, hint="")
        parent = self.stack[-1] if self.stack else None
        if parent and isinstance(parent.items, dict) and parent.key is None:
            self._report(place, "keys must be strings", path, hint="quote the key")
            recorded = False
        self._properties(event, place, path)
        self.stack.append(_OpenCollection(path=path, place=place, items=items, recorded=recorded))

    def _close(self, event: Any) -> None:
        closed = self.stack.pop()
        end = event.end_mark
        if end.line + 1 == closed.place.line and end.column > event.start_mark.column:  # flow style, on one line
            column = closed.place.column
            closed.place = Place(file=self.file, line=closed.place.line, column=column, width=end.column + 1 - column)
        value: Value = closed.items if isinstance(closed.items, dict) else tuple(closed.items)
        self._attach(value, closed.place, recorded=closed.recorded)

    def _alias(self, event: Any) -> None:
        place, path = self._place(event), self._path()
        self._count(place)
        if event.anchor not in self.aliased:  # report only the first: all of them depend on the same anchor
            self.aliased.add(event.anchor)
            pattern = any(part in {"ignore", "ignore_files", "match"} for part in path)
            hint = f'quote it: `"*{event.anchor}"`' if pattern else _INSTEAD
            if self._mask().hides(path):
                self._report(place, "aliases are not supported", path, hint="put the value in quotes, or write it out")
            else:
                self._report(place, f"aliases are not supported: {in_backticks(f'*{event.anchor}')}", path, hint=hint)
        if self._recorded():
            self.broken.add(path)
        self._attach(None, place, recorded=self._recorded())

    def _scalar(self, loader: yaml.CSafeLoader, event: Any) -> None:
        place, path, recorded = self._place(event), self._path(), self._recorded()
        plain = event.implicit[0] and not event.tag
        parent = self.stack[-1] if self.stack else None
        self._properties(event, place, path)
        control = control_character(event.value)
        if parent and isinstance(parent.items, dict) and parent.key is None:
            self._key(parent, event.value, place, plain=plain, control=control)
            return
        value: Value = event.value
        if control:
            self._report(place, f"control characters are not allowed: `{control}`", path, hint="remove it")
            self.broken.add(path)
        elif plain:
            try:
                value = plain_scalar(loader, event.value)
            except AmbiguousNumberError as error:
                hint = f'write a plain decimal number, or quote it: `"{event.value}"`'
                self._report(place, str(error), path, hint=_IN_QUOTES if self._mask().hides(path) else hint)
                self.broken.add(path)
            if not isinstance(value, str) and recorded:
                self.written[path] = event.value
        self._attach(value, place, recorded=recorded)

    def _key(self, parent: _OpenCollection, key: str, place: Place, *, plain: bool, control: str) -> None:
        path = (*parent.path, key)
        parent.key, parent.key_usable = key, False
        if control:
            self._report(
                place, f"control characters are not allowed in keys: `{control}`", parent.path, hint="remove it"
            )
        elif plain and key == "<<":
            self._report(place, "merge keys are not supported", path, hint=_INSTEAD)
        elif first := parent.key_places.get(key):
            self._report(place, "duplicate key", path, hint=f"remove one of the two; the first is on line {first.line}")
        else:
            parent.key_usable = True
            parent.key_places[key] = place
            if parent.recorded:
                self.keys[path] = place

    def _properties(self, event: Any, place: Place, path: KeyPath) -> None:
        """Report an anchor or a tag before a value; the value itself is read without it."""
        self._count(place)
        if (event.anchor or event.tag) and self._mask().hides(path):
            what = "anchors" if event.anchor else "tags"
            self._report(place, f"{what} are not supported", path, hint=_IN_QUOTES)
            if event.tag and self._recorded():
                self.broken.add(path)
            return
        if event.anchor:
            hint = "remove it, and share values with `templates` and `extends`"
            self._report(place, f"anchors are not supported: {in_backticks(f'&{event.anchor}')}", path, hint=hint)
        if event.tag:
            tag = event.tag.replace("tag:yaml.org,2002:", "!!")
            hint = "remove the tag, and quote the value" if tag == "!!str" else "remove the tag"
            if tag.startswith("!="):  # `!=3.12`
                hint = f'quote it: `"{tag}"`'
            self._report(place, f"tags are not supported: {in_backticks(tag)}", path, hint=hint)
            if self._recorded():
                self.broken.add(path)

    def _count(self, place: Place) -> None:
        """Count one key or value; raises ManifestError if the file has too many."""
        self.left -= 1
        if self.left < 0:
            message = f"the file has more than {MOST_VALUES:,} keys and values"
            self._fail(place, message, hint="divide the manifest into several")

    def _attach(self, value: Value, place: Place, *, recorded: bool) -> None:
        """Add a complete value to the list or mapping that contains it."""
        if recorded:
            self.values[self._path()] = place
        if not self.stack:
            self.root.append(value)
            return
        parent = self.stack[-1]
        if isinstance(parent.items, list):
            parent.items.append(value)
        elif parent.key is None:  # a list, mapping or alias as a key
            parent.key, parent.key_usable = "", False
        else:
            if parent.key_usable:
                parent.items[parent.key] = value
            parent.key, parent.key_usable = None, True

    def _path(self) -> KeyPath:
        if not self.stack:
            return ()
        parent = self.stack[-1]
        if isinstance(parent.items, list):
            return (*parent.path, len(parent.items))
        return parent.path if parent.key is None else (*parent.path, parent.key)

    def _recorded(self) -> bool:
        if not self.stack:
            return True
        parent = self.stack[-1]
        waits_for_value = isinstance(parent.items, list) or (parent.key is not None and parent.key_usable)
        return parent.recorded and waits_for_value

    def _place(self, event: Any) -> Place:
        start, end = event.start_mark, event.end_mark
        length = len(self.lines[start.line].rstrip()) if start.line < len(self.lines) else 0
        opens = isinstance(event, yaml.CollectionStartEvent)
        width = end.column - start.column if end.line == start.line and not opens else length - start.column
        return Place(file=self.file, line=start.line + 1, column=start.column + 1, width=max(1, width))

    def _report(self, place: Place, message: str, path: KeyPath = (), *, hint: str) -> None:
        self.problems.append(masked_problem(place, self._mask(), message, path, hint=hint))
        if len(self.problems) > MOST_PROBLEMS:
            raise manifest_error(self.problems, self.file)

    def _mask(self) -> "SourceMask":
        from reconciler.manifest.masked_source import mask_of  # only for a file with an error, to start quickly

        return mask_of(self.lines)

    def _fail(self, place: Place, message: str, path: KeyPath = (), *, hint: str) -> NoReturn:
        self._report(place, message, path, hint=hint)
        raise ManifestError(tuple(self.problems))

    def _stop_at(self, error: yaml.MarkedYAMLError) -> NoReturn:
        from reconciler.manifest.yaml_mistakes import syntax_hint  # only for a file with an error, to start quickly

        mark = error.problem_mark or error.context_mark
        line, column = (mark.line, mark.column) if mark else (0, 0)
        if line >= len(self.lines):
            line, column = len(self.lines) - 1, 0
        context = error.context_mark.line if error.context_mark and error.context else None
        mask = self._mask()
        near = (line - 1, line, line if context is None else context)
        masked = [each for each in near if 0 <= each < len(self.lines) and mask.line(each + 1).text != self.lines[each]]
        hint = syntax_hint(str(error.problem or ""), self.lines, line, column, context, masked=masked)
        place = Place(file=self.file, line=line + 1, column=column + 1)
        if (
            error.problem == "exceeded maximum nesting depth"
        ):  # libyaml has its own limit, and reads ahead of its events
            self._fail(place, _TOO_DEEP, hint="")
        self._report(place, f"not valid YAML: {error.problem or error.context}", hint=hint)
        raise ManifestError(tuple(self.problems)) from error
