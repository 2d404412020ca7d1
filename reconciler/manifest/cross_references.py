"""What one part of a manifest says about another: extends, depends_on, matrix, indexes, locks and root.

It works on plain values, some of which may be wrong in themselves: one wrong key must not hide the others.
"""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from reconciler.errors import Problem
from reconciler.manifest.hints import one_of
from reconciler.manifest.inherit import cycles_of, lineage, merged
from reconciler.manifest.matrix import cell_name
from reconciler.manifest.paths import is_within
from reconciler.manifest.source_text import KeyPath, SourceText
from reconciler.manifest.yaml_document import Value

_LONGEST_CIRCLE = 12  # names that are shown of it


class References:
    """The names that a manifest gives, and every mention of one."""

    def __init__(self, value: Mapping[str, Value], source: SourceText, directory: Path) -> None:
        self.value = value
        self.source = source
        self.directory = directory
        self.templates = _entries(value, "templates")
        self.environments = _entries(value, "environments")
        self.extended = {name: _names(entry, "extends") for name, entry in self.templates.items()}
        self.whole = {name: self._whole(entry) for name, entry in self.environments.items()}
        self.cells = {name: self._cells(name) for name in self.environments}
        self.entry_of = {cell: name for name, cells in self.cells.items() for cell, _ in cells}

    def problems(self) -> Iterator[Problem]:
        """Yield every mention of a name that does not exist, every circle, and every name given twice."""
        yield from self._extends()
        yield from self._template_cycles()
        yield from self._depends_on()
        yield from self._dependency_cycles()
        yield from self._matrix()
        yield from self._missing_python()
        yield from self._indexes()
        yield from self._locks()

    def _whole(self, entry: Mapping[str, Value]) -> Mapping[str, object]:
        order = lineage(_names(entry, "extends"), self.extended)
        return merged([*(self.templates[name] for name in order), entry])

    def _cells(self, name: str) -> list[tuple[str, KeyPath]]:
        """Return the names of an entry's cells, each with where its version stands (the entry, if inherited)."""
        matrix = self.whole[name].get("matrix")
        versions = matrix.get("python") if isinstance(matrix, Mapping) else None
        own = self.environments[name].get("matrix")
        written = own.get("python") if isinstance(own, Mapping) else None
        if not isinstance(versions, tuple):
            return []
        inherited = len(versions) - (len(written) if isinstance(written, tuple) else 0)
        return [
            (
                cell_name(name, version),
                ("environments", name, "matrix", "python", at - inherited)
                if at >= inherited
                else ("environments", name),
            )
            for at, version in enumerate(versions)
            if isinstance(version, str)
        ]

    def _extends(self) -> Iterator[Problem]:
        for path, name in self._mentions("extends"):
            if name in self.templates:
                continue
            if name in self.environments:
                hint = "only templates can be extended; move what is shared to `templates`"
                yield self.source.problem(f"`{name}` is an environment, not a template", path, hint=hint)
            else:
                hint = one_of(name, self.templates, noun="templates")
                yield self.source.problem(f"no template `{name}`", path, hint=hint)

    def _template_cycles(self) -> Iterator[Problem]:
        for cycle in cycles_of(self.extended):
            yield self._circle("extends", ("templates", cycle[0], "extends"), cycle)

    def _depends_on(self) -> Iterator[Problem]:
        known = {*self.environments, *self.entry_of}
        for path, name in self._mentions("depends_on"):
            if name in known:
                continue
            if name in self.templates:
                hint = "templates are never built; name an environment"
                yield self.source.problem(f"`{name}` is a template, not an environment", path, hint=hint)
            else:
                yield self.source.problem(
                    f"no environment `{name}`", path, hint=one_of(name, known, noun="environments")
                )

    def _dependency_cycles(self) -> Iterator[Problem]:
        graph = {
            name: [self.entry_of.get(each, each) for each in _names(whole, "depends_on")]
            for name, whole in self.whole.items()
        }
        for cycle in cycles_of(graph):
            yield self._circle("depends_on", ("environments", cycle[0], "depends_on"), cycle)

    def _matrix(self) -> Iterator[Problem]:
        seen: dict[str, str] = {}
        for name, cells in self.cells.items():
            for cell, path in cells:
                if cell in self.environments:
                    message = f"the matrix makes `{cell}`, which is an environment of its own"
                    yield self._at(message, path, "rename one of the two")
                elif cell not in seen:
                    seen[cell] = name
                elif seen[cell] != name:
                    message = f"the matrix makes `{cell}`, and so does that of `{seen[cell]}`"
                    yield self._at(message, path, "rename one of the two")
                else:
                    yield self._at(f"the matrix makes `{cell}` twice", path, "remove one")

    def _missing_python(self) -> Iterator[Problem]:
        for name, whole in self.whole.items():
            if "python" not in whole and "matrix" not in whole:
                extends = _names(self.environments[name], "extends")
                if any(each not in self.templates for each in extends):
                    continue  # it may well be there: that one is a problem already
                hint = 'for instance python: "3.12"' + (", here or in what it extends" if extends else "")
                yield self._at("missing key `python`", ("environments", name), hint)

    def _indexes(self) -> Iterator[Problem]:
        indexes = self.value.get("indexes")
        names: dict[str, int] = {}
        pinned: dict[str, str] = {}
        for at, index in enumerate(indexes if isinstance(indexes, tuple) else ()):
            if not isinstance(index, dict):
                continue
            name = index.get("name")
            if isinstance(name, str) and names.setdefault(name, at) != at:
                path: KeyPath = ("indexes", at, "name")
                yield self.source.problem(
                    f"another index is named `{name}`", path, hint="every index has a name of its own"
                )
            for number, pattern in enumerate(_names(index, "packages")):
                first = pinned.setdefault(pattern.lower(), str(name))
                if first != str(name):
                    path = ("indexes", at, "packages", number)
                    hint = "a package comes from one index"
                    yield self.source.problem(f"`{pattern}` is pinned to index `{first}` already", path, hint=hint)

    def _locks(self) -> Iterator[Problem]:
        root, locks = self.value.get("root", ".envs"), self.value.get("locks", "locks")
        if isinstance(root, str) and isinstance(locks, str):
            here = self.directory.absolute()
            if is_within(Path(os.path.normpath(here / locks)), Path(os.path.normpath(here / root))):
                hint = "git ignores everything in the root; locks belong into the repository"
                path: KeyPath = ("locks",) if "locks" in self.value else ("root",)
                yield self.source.problem("the locks would be in the root", path, hint=hint)

    def _mentions(self, key: str) -> Iterator[tuple[KeyPath, str]]:
        for kind, entries in (("templates", self.templates), ("environments", self.environments)):
            for name, entry in entries.items():
                value = entry.get(key)
                if isinstance(value, str):
                    yield (kind, name, key), value
                for at, each in enumerate(value if isinstance(value, tuple) else ()):
                    if isinstance(each, str):
                        yield (kind, name, key, at), each

    def _circle(self, key: str, path: KeyPath, cycle: tuple[str, ...]) -> Problem:
        if len(cycle) == 1:
            return self._at(f"`{cycle[0]}` names itself", path, "remove it")
        shown = cycle if len(cycle) <= _LONGEST_CIRCLE else (*cycle[: _LONGEST_CIRCLE - 1], "...")
        return self._at(f"a circle: {' -> '.join((*shown, cycle[0]))}", path, f"take one `{key}` out")

    def _at(self, message: str, path: KeyPath, hint: str) -> Problem:
        place = self.source.value_place(path) if isinstance(path[-1], int) else self.source.key_place(path)
        return self.source.problem(message, path, hint=hint, place=place)


def _entries(value: Mapping[str, Value], key: str) -> dict[str, dict[str, Value]]:
    entries = value.get(key)
    named = entries if isinstance(entries, dict) else {}
    return {name: entry for name, entry in named.items() if isinstance(entry, dict)}


def _names(entry: Mapping[str, object], key: str) -> tuple[str, ...]:
    value = entry.get(key)
    if isinstance(value, str):
        return (value,)
    return tuple(each for each in value if isinstance(each, str)) if isinstance(value, tuple) else ()
