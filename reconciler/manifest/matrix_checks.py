"""Checks the matrix of an environment, merged from its templates: what it creates, leaves out and replaces."""

from collections.abc import Iterator, Mapping, Sequence

from reconciler.backticks import in_backticks, list_in_backticks
from reconciler.errors import Place, Problem
from reconciler.manifest.hints import known_names_hint, suggest
from reconciler.manifest.inheritance import PlacedValue, merge_levels
from reconciler.manifest.invalid_text import InvalidTextError
from reconciler.manifest.matrix_members import (
    MAX_COMBINATIONS,
    SETTINGS,
    AxisValue,
    Member,
    axes_of,
    combinations,
    exclusions,
    member_requirement,
    members_of,
    variant_keys,
)
from reconciler.manifest.names import validate_name
from reconciler.manifest.placeholders import (
    TEXT_KEYS,
    has_placeholder,
    is_requirement,
    replace_in_requirement,
    replace_placeholders,
    used_axes,
)
from reconciler.manifest.source_text import KeyPath, SourceText
from reconciler.manifest.written_matrix import misspelt_key, variants_in
from reconciler.manifest.yaml_document import Value

# Keys in which a placeholder is not replaced, although one may expect it.
_NOT_REPLACED = ("requirements", "constraints")


class MatrixChecks:
    """The matrix of one environment, merged from its templates, and what is wrong with it.

    `levels` are the plain values that the environment is merged from, each with its key path: the most general template
    first, the environment itself last. `trees` are the same as trees of PlacedValue. `declared` are the names of all
    entries.
    """

    def __init__(
        self,
        *,
        name: str,
        levels: Sequence[tuple[KeyPath, Mapping[str, Value]]],
        trees: Sequence[Mapping[str, object]],
        declared: frozenset[str],
        source: SourceText,
    ) -> None:
        self.name = name
        self.source = source
        self.declared = declared
        self.path: KeyPath = ("environments", name)
        self._levels = levels
        self._entry = merge_levels(trees)
        matrix = self._entry.get("matrix")
        self._matrix: Mapping[str, object] = matrix if isinstance(matrix, Mapping) else {}
        self.axes = axes_of(self._matrix)
        self.members = members_of(name, self._matrix)

    @property
    def has_python(self) -> bool:
        """Return whether the matrix gives every member a Python version, or is invalid, which is reported."""
        return "python" in self._matrix or not self._has_axis() or bool(self._axes_with("python"))

    def problems(self) -> Iterator[Problem]:
        """Yield what is wrong with this matrix, apart from names that others have too."""
        if not isinstance(self._entry.get("matrix"), Mapping):
            return  # the model reports it
        if not self._has_axis():
            hint = 'add an axis such as `python: ["3.11", "3.12"]`'
            yield self._at("the matrix has no axis", self._written("matrix"), hint)
            return
        if (count := combinations(self.axes)) > MAX_COMBINATIONS:
            message = f"the matrix has {count:,} combinations; at most {MAX_COMBINATIONS} are allowed"
            yield self._at(message, self._written("matrix"), "remove values, or divide it into several environments")
            return
        yield from self._misspelt_axes()
        yield from self._two_pythons()
        yield from self._equal_parts()
        yield from self._exclusions()
        yield from self._long_names()
        yield from self._texts()
        yield from self._not_replaced()

    def _has_axis(self) -> bool:
        return any(key not in SETTINGS for key in self._matrix)

    def collisions(self, made: dict[str, "MatrixChecks"]) -> Iterator[Problem]:
        """Yield a problem for each name that another entry or matrix has; adds the names of this matrix to `made`."""
        equal_parts = any(len({each.part for each in values}) < len(values) for values in self.axes.values())
        seen: dict[str, Member] = {}
        for member in self.members:
            path = self._member_path(member)
            if member.name in seen and equal_parts:
                continue  # reported already, for the two values
            if member.name in seen:
                other = self._line(self._member_path(seen[member.name]))
                message = f"the matrix creates `{member.name}` twice; the first is on {other}"
                yield self._at(message, path, "rename a variant or an axis")
            elif member.name in self.declared:
                other = self._line(("environments", member.name), key=True)
                message = f"the matrix creates `{member.name}`, but an environment of that name is declared on {other}"
                yield self._at(message, path, "rename one of the two")
            elif member.name in made:
                first = made[member.name]
                other = self._line(first.path, key=True)
                message = f"the matrix creates `{member.name}`, and so does the matrix of `{first.name}` on {other}"
                yield self._at(message, path, "rename one of the two")
            seen[member.name] = member
        for name in seen:
            made.setdefault(name, self)

    def _misspelt_axes(self) -> Iterator[Problem]:
        """Yield a problem for an axis that is used nowhere, and has almost the name of another key."""
        for axis, values in self.axes.items():
            similar = "" if axis == "python" else misspelt_key(axis)
            if similar and similar not in self._matrix and values and values[0].path and not self._is_used(axis):
                path = values[0].path[:-1]
                place = self.source.key_place(path)
                message = f"the axis {in_backticks(axis)} is not used"
                yield self.source.problem(message, path, hint=suggest(similar), place=place)

    def _is_used(self, axis: str) -> bool:
        return any(axis in used_axes(text) for member in self.members for text, _ in self._member_texts(member))

    def _two_pythons(self) -> Iterator[Problem]:
        for axis in self._axes_with("python", some=True) if "python" in self.axes else ():
            for path, keys in self._variants(axis):
                if "python" in keys:
                    message = "the matrix has the axis `python` already"
                    yield self._at(message, (*path, "python"), "remove it here, or remove the axis")

    def _axes_with(self, key: str, *, some: bool = False) -> list[str]:
        """Return the axes whose variants all have a key; with `some`, also those with at least one that has it."""
        found = []
        for axis, variants in self._matrix.items():
            if axis not in SETTINGS and isinstance(variants, Mapping) and variants:
                having = [isinstance(each, Mapping) and key in each for each in variants.values()]
                if any(having) if some else all(having):
                    found.append(axis)
        return found

    def _equal_parts(self) -> Iterator[Problem]:
        for axis, values in self.axes.items():
            first: dict[str, AxisValue] = {}
            for value in sorted(values, key=self._position):
                other = first.setdefault(value.part, value)
                if other is not value:
                    message = (
                        f"{in_backticks(other.text)} on {self._line(other.path)} and {in_backticks(value.text)} "
                        f"create the same environment: both names contain `{value.part}`"
                    )
                    hint = "remove one of the two versions" if axis == "python" else "remove one of the two values"
                    yield self._at(message, value.path, hint)

    def _position(self, value: AxisValue) -> tuple[int, int]:
        place = self.source.value_place(value.path)
        return (place.line, place.column)

    def _exclusions(self) -> Iterator[Problem]:
        known = {axis: [each.text for each in values] for axis, values in self.axes.items()}
        entries = self._matrix.get("exclude")
        for each in entries if isinstance(entries, tuple) else ():
            if each.value == {}:
                yield self._at("the entry is empty", each.path, "name the axes and values to leave out")
        for values, path in exclusions(self._matrix):
            for axis, value in values.items():
                place = (*path, axis)
                if axis not in known:
                    hint = known_names_hint(axis, known, noun="axes")
                    message = f"no axis named {in_backticks(axis)} in the matrix"
                    yield self.source.problem(message, place, hint=hint, place=self.source.key_place(place))
                elif value not in known[axis]:
                    hint = known_names_hint(value, known[axis], noun="values")
                    message = f"the axis {in_backticks(axis)} has no value {in_backticks(value)}"
                    yield self.source.problem(message, place, hint=hint)
        if not self.members and self.axes and all(self.axes.values()):
            hint = "remove an entry, so that at least one combination is left"
            yield self._at("`exclude` leaves out every combination", self._written("matrix", "exclude"), hint)

    def _long_names(self) -> Iterator[Problem]:
        for member in self.members:
            if len(member.name) > 100:
                try:
                    validate_name(member.name)
                except InvalidTextError:
                    message = (
                        f"the matrix creates a name that is longer than 100 characters: {in_backticks(member.name)}"
                    )
                    yield self._at(message, self.path, "use shorter names for the environment, its axes and variants")
                    return

    def _texts(self) -> Iterator[Problem]:
        """Yield a problem for each placeholder without an axis, and for each requirement that a value makes invalid."""
        reported: set[KeyPath] = set()
        checked: set[tuple[KeyPath, tuple[tuple[str, str], ...]]] = set()
        for member in self.members:
            texts = member.texts
            for text, path in self._member_texts(member):
                used = tuple((axis, texts[axis]) for axis in sorted(used_axes(text)) if axis in texts)
                if path in reported or (path, used) in checked:
                    continue
                checked.add((path, used))
                package = path[-2] == "packages"
                if package and not has_placeholder(text) and not is_requirement(text):
                    continue  # which the model reports
                try:
                    replaced = (replace_in_requirement if package else replace_placeholders)(text, texts)
                except InvalidTextError as error:
                    reported.add(path)
                    if self.source.hides(path):
                        hint = "name an axis of the matrix in the braces, or double braces that are not a placeholder"
                        yield self.source.problem("braces that are not a placeholder", path, hint=hint)
                    else:
                        yield self.source.invalid_text(error, path, text)
                    continue
                if not package or replaced == text:
                    continue
                try:
                    member_requirement(text, texts)
                except InvalidTextError as error:
                    reported.add(path)
                    where = " and ".join(in_backticks(f"{axis} = {value}") for axis, value in used)
                    message = f"{error.message}, in {in_backticks(replaced)}" + (f" with {where}" if used else "")
                    yield self.source.problem(message, path, hint=error.hint)

    def _member_texts(self, member: Member) -> Iterator[tuple[str, KeyPath]]:
        """Yield the texts of a member that have braces, with their key paths."""
        merged = merge_levels((self._entry, *variant_keys(self._matrix, member)))
        for key in TEXT_KEYS:
            value = merged.get(key)
            each_value = (
                value if isinstance(value, tuple) else value.values() if isinstance(value, Mapping) else (value,)
            )
            for each in each_value:
                if (
                    isinstance(each, PlacedValue)
                    and isinstance(each.value, str)
                    and ("{" in each.value or "}" in each.value)
                ):
                    yield each.value, each.path

    def _not_replaced(self) -> Iterator[Problem]:
        for path, level in self._levels:
            for level_path, keys in ((path, level), *variants_in(level.get("matrix"), (*path, "matrix"))):
                for key in _NOT_REPLACED:
                    values = keys.get(key)
                    for at, text in enumerate(values if isinstance(values, tuple) else ()):
                        for axis in sorted(used_axes(text) & self.axes.keys()) if isinstance(text, str) else ():
                            message = f"`{{{axis}}}` is not replaced in `{key}`, only in {list_in_backticks(TEXT_KEYS)}"
                            hint = f"make an axis of named variants, each with its own `{key}`"
                            yield self.source.problem(message, (*level_path, key, at), hint=hint)

    def _variants(self, axis: str) -> Iterator[tuple[KeyPath, Mapping[str, Value]]]:
        """Yield the variants of an axis as they are written, with their key paths, in every template."""
        for path, level in self._levels:
            for variant_path, keys in variants_in(level.get("matrix"), (*path, "matrix")):
                if variant_path[-2] == axis:
                    yield variant_path, keys

    def _member_path(self, member: Member) -> KeyPath:
        """Return the key path of the value that shows a member best: the first that this environment itself wrote."""
        own = [each.path for each in member.values.values() if each.path[:2] == self.path]
        for axis, value in member.values.items():
            if not value.path:
                own += [path for path, _ in self._variants(axis) if path[:2] == self.path and path[-1] == value.text]
        return own[0] if own else self.path

    def _written(self, *keys: str) -> KeyPath:
        """Return the key path of a key in the last level that has it."""
        for path, level in reversed(self._levels):
            value: object = level
            for key in keys:
                value = value.get(key) if isinstance(value, Mapping) else None
            if value is not None:
                return (*path, *keys)
        return self.path

    def _line(self, path: KeyPath, *, key: bool = False) -> str:
        place = self.source.key_place(path) if key else self._place(path)
        return f"line {place.line}"

    def _place(self, path: KeyPath) -> Place:
        return self.source.value_place(path) if isinstance(path[-1], int) else self.source.key_place(path)

    def _at(self, message: str, path: KeyPath, hint: str) -> Problem:
        return self.source.problem(message, path, hint=hint, place=self._place(path))
