"""Checks what one part of a manifest says about another: extends, depends_on, matrix, indexes, locks and root.

It works on plain values, even if some are invalid themselves: one invalid key must not hide the errors of others.
"""

import math
import os
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain, product
from pathlib import Path

from reconciler.backticks import in_backticks
from reconciler.errors import Problem
from reconciler.manifest import defaults
from reconciler.manifest.hints import known_names_hint
from reconciler.manifest.inheritance import merge_levels, placed_tree, template_order
from reconciler.manifest.matrix_checks import MatrixChecks
from reconciler.manifest.matrix_members import MAX_COMBINATIONS, SETTINGS
from reconciler.manifest.paths import is_within
from reconciler.manifest.placeholders import has_placeholder, is_requirement, used_axes
from reconciler.manifest.source_text import KeyPath, SourceText
from reconciler.manifest.written_matrix import variants_in, written_matrix_problems
from reconciler.manifest.yaml_document import Value

_LONGEST_SHOWN_CYCLE = 12  # names


def reference_problems(value: Mapping[str, Value], source: SourceText, directory: Path) -> Iterator[Problem]:
    """Yield a problem for every unknown name, every cycle, and every name that is given twice.

    `value` is the manifest as plain values, and `directory` the directory that contains it.
    """
    return _References(value, source, directory).problems()


class _References:
    """The names that a manifest defines, and every key that refers to one."""

    def __init__(self, value: Mapping[str, Value], source: SourceText, directory: Path) -> None:
        self.value = value
        self.source = source
        self.directory = directory
        self.templates = _entries(value, "templates")
        indexes = value.get("indexes")
        self.indexes = [
            (at, each)
            for at, each in enumerate(indexes if isinstance(indexes, tuple) else ())
            if isinstance(each, dict)
        ]
        self.environments = _entries(value, "environments")
        self.extended = {name: _names(entry, "extends") for name, entry in self.templates.items()}
        self.merged = {name: self._merged(entry) for name, entry in self.environments.items()}
        self._trees: dict[KeyPath, Mapping[str, object]] = {}
        self.matrices = {
            name: MatrixChecks(
                name=name,
                levels=self._levels(name, entry),
                trees=[self._tree(path, each) for path, each in self._levels(name, entry)],
                declared=frozenset(self.environments),
                source=source,
            )
            for name, entry in self.environments.items()
            if "matrix" in self.merged[name]
        }
        self.entry_of = {made.name: name for name, each in self.matrices.items() for made in each.members}

    def problems(self) -> Iterator[Problem]:
        yield from self._extends()
        yield from self._inheritance_cycles()
        yield from self._depends_on()
        yield from self._dependency_cycles()
        yield from self._matrices()
        yield from self._missing_python()
        yield from self._placeholders_without_matrix()
        yield from self._renamed_from()
        yield from self._indexes()
        yield from self._locks()

    def _merged(self, entry: Mapping[str, Value]) -> Mapping[str, object]:
        order = template_order(_names(entry, "extends"), self.extended)
        return merge_levels([*(self.templates[name] for name in order), entry])

    def _levels(self, name: str, entry: Mapping[str, Value]) -> list[tuple[KeyPath, Mapping[str, Value]]]:
        """Return what an environment is merged from, with the key path of each: its templates, then itself."""
        order = template_order(_names(entry, "extends"), self.extended)
        return [*((("templates", each), self.templates[each]) for each in order), (("environments", name), entry)]

    def _tree(self, path: KeyPath, entry: Mapping[str, Value]) -> Mapping[str, object]:
        """Return the tree of one entry; that of a template is made once for all environments."""
        if path not in self._trees:
            tree = placed_tree(entry, path)
            self._trees[path] = tree if isinstance(tree, Mapping) else {}
        return self._trees[path]

    def _extends(self) -> Iterator[Problem]:
        for path, name in self._references("extends"):
            if name in self.templates:
                continue
            if name in self.environments:
                hint = "move the shared keys to a template, and extend the template"
                yield self.source.problem(f"{in_backticks(name)} is an environment, not a template", path, hint=hint)
            else:
                hint = known_names_hint(name, self.templates, noun="templates")
                yield self.source.problem(f"no template named {in_backticks(name)}", path, hint=hint)

    def _inheritance_cycles(self) -> Iterator[Problem]:
        for cycle in find_cycles(self.extended):
            yield self._cycle("extends", ("templates", cycle[0], "extends"), cycle)

    def _depends_on(self) -> Iterator[Problem]:
        known = {*self.environments, *self.entry_of}
        for path, name in self._references("depends_on"):
            if name in known:
                continue
            if name in self.templates:
                hint = "name an environment; templates are never built"
                yield self.source.problem(f"{in_backticks(name)} is a template, not an environment", path, hint=hint)
            else:
                new = next((each for each, entry in self.environments.items() if entry.get("renamed_from") == name), "")
                hint = f"write `{new}`, its new name" if new else known_names_hint(name, known, noun="environments")
                yield self.source.problem(f"no environment named {in_backticks(name)}", path, hint=hint)

    def _dependencies(self, merged: Mapping[str, object]) -> Iterator[str]:
        """Yield the environments that an entry depends on, with all of its variants."""
        yield from _names(merged, "depends_on")
        for _, variant in variants_in(merged.get("matrix"), ()):
            yield from _names(variant, "depends_on")

    def _dependency_cycles(self) -> Iterator[Problem]:
        graph = {
            name: [self.entry_of.get(each, each) for each in self._dependencies(merged)]
            for name, merged in self.merged.items()
        }
        for cycle in find_cycles(graph):
            yield self._cycle("depends_on", ("environments", cycle[0], "depends_on"), cycle)

    def _matrices(self) -> Iterator[Problem]:
        for kind, entries in (("templates", self.templates), ("environments", self.environments)):
            for name, entry in entries.items():
                yield from written_matrix_problems(entry.get("matrix"), (kind, name, "matrix"), self.source)
        made: dict[str, MatrixChecks] = {}
        reported: set[Problem] = set()  # two environments may extend one template
        for checks in self.matrices.values():
            for problem in (*checks.problems(), *checks.collisions(made)):
                if problem not in reported:
                    reported.add(problem)
                    yield problem

    def _missing_python(self) -> Iterator[Problem]:
        for name, merged in self.merged.items():
            if "python" in merged or (name in self.matrices and self.matrices[name].has_python):
                continue
            extends = _names(self.environments[name], "extends")
            if any(each not in self.templates for each in extends):
                continue  # the unknown template may define it, and is a problem already
            where = " here or in a template that it extends" if extends else ""
            yield self._at(
                "missing key `python`", ("environments", name), f'add it{where}, for example `python: "3.12"`'
            )

    def _placeholders_without_matrix(self) -> Iterator[Problem]:
        reported: set[KeyPath] = set()
        for name, entry in self.environments.items():
            if name in self.matrices:
                continue
            for path, level in self._levels(name, entry):
                packages = level.get("packages")
                for at, text in enumerate(packages if isinstance(packages, tuple) else ()):
                    place = (*path, "packages", at)
                    if (
                        isinstance(text, str)
                        and place not in reported
                        and has_placeholder(text)
                        and not is_requirement(text)
                    ):
                        reported.add(place)
                        message = f"a placeholder, but `{name}` has no matrix: {in_backticks(text)}"
                        axis = min(used_axes(text))
                        hint = f"add the axis `{axis}` to a `matrix` of the environment, or write a version"
                        yield self.source.problem(message, place, hint=hint)

    def _renamed_from(self) -> Iterator[Problem]:
        for name, template in self.templates.items():
            if "renamed_from" in template:
                path: KeyPath = ("templates", name, "renamed_from")
                yield self._at(
                    "`renamed_from` is not allowed in a template", path, "write it in the environment that was renamed"
                )
        claimed: dict[str, str] = {}
        declared = {*self.environments, *self.entry_of}
        for name, entry in self.environments.items():
            former = entry.get("renamed_from")
            if not isinstance(former, str):
                continue
            path = ("environments", name, "renamed_from")
            shown = in_backticks(former)
            if "matrix" in self.merged[name]:
                message = "`renamed_from` is not allowed with a matrix, which creates several environments"
                yield self._at(message, path, "declare the environment that was renamed without a matrix")
            elif former == name:
                yield self.source.problem(f"{shown} is its own name", path, hint="write the name that it had before")
            elif former in declared:
                message = f"{shown} is still declared, so it was not renamed"
                hint = f"remove the environment {shown}, or remove `renamed_from`"
                yield self.source.problem(message, path, hint=hint)
            elif claimed.setdefault(former, name) != name:
                message = f"`{claimed[former]}` was renamed from {shown} too"
                yield self.source.problem(message, path, hint="remove one of the two")

    def _indexes(self) -> Iterator[Problem]:
        names: dict[str, int] = {}
        variables: dict[str, str] = {}
        for at, index in self.indexes:
            name = index.get("name")
            path: KeyPath = ("indexes", at, "name")
            if not isinstance(name, str):
                continue
            first = variables.setdefault(name.replace("-", "_"), name)
            if names.setdefault(name, at) != at:
                yield self.source.problem(
                    f"duplicate index name {in_backticks(name)}", path, hint="rename one of the two"
                )
            elif first != name:
                message = f"{in_backticks(name)} and {in_backticks(first)} have the same variables for credentials"
                yield self.source.problem(message, path, hint="rename one of the two")
        for path, name in self._references("indexes"):
            if name not in names:
                hint = known_names_hint(name, names, noun="indexes")
                yield self.source.problem(f"no index named {in_backticks(name)}", path, hint=hint)
        for entry, merged in self.merged.items():
            found = [
                each for chosen in _chosen_indexes(merged) for each in self._pinned_twice(entry, chosen, tuple(names))
            ]
            yield from dict.fromkeys(found)

    def _pinned_twice(self, entry: str, chosen: tuple[str, ...], known: tuple[str, ...]) -> Iterator[Problem]:
        """Yield a problem for each pattern that two indexes of one environment have."""
        pinned: dict[str, str] = {}
        for _, index in self.indexes:
            name = str(index.get("name"))
            for pattern in _names(index, "packages") if not chosen or name in chosen else ():
                first = pinned.setdefault(pattern.lower(), name)
                if first != name:
                    shown = (
                        f"{in_backticks(pattern)} is pinned to index {in_backticks(first)} and to {in_backticks(name)}"
                    )
                    kept = ", ".join(each for each in known if each != name)
                    hint = f"choose the indexes of this environment: `indexes: [{kept}]`"
                    if chosen:
                        hint = "remove one of the two from its `indexes`, or from those of a template that it extends"
                    yield self._at(shown, ("environments", entry), hint)

    def _locks(self) -> Iterator[Problem]:
        root, locks = self.value.get("root", defaults.ROOT), self.value.get("locks", defaults.LOCKS)
        if isinstance(root, str) and isinstance(locks, str):
            directory = self.directory.absolute()
            if is_within(Path(os.path.normpath(directory / locks)), Path(os.path.normpath(directory / root))):
                hint = "use a directory outside the root: git ignores everything inside it"
                path: KeyPath = ("locks",) if "locks" in self.value else ("root",)
                yield self.source.problem("the lock directory is inside the root", path, hint=hint)

    def _references(self, key: str) -> Iterator[tuple[KeyPath, str]]:
        for kind, entries in (("templates", self.templates), ("environments", self.environments)):
            for name, entry in entries.items():
                path: KeyPath = (kind, name)
                inside = variants_in(entry.get("matrix"), (*path, "matrix")) if key in {"depends_on", "indexes"} else ()
                for level_path, level in ((path, entry), *inside):
                    value = level.get(key)
                    if isinstance(value, str):
                        yield (*level_path, key), value
                    for at, each in enumerate(value if isinstance(value, tuple) else ()):
                        if isinstance(each, str):
                            yield (*level_path, key, at), each

    def _cycle(self, key: str, path: KeyPath, cycle: tuple[str, ...]) -> Problem:
        extends = key == "extends"
        if len(cycle) == 1:
            message = f"`{cycle[0]}` extends itself" if extends else f"`{cycle[0]}` depends on itself"
            return self._at(message, path, f"remove it from `{key}`")
        shown = cycle if len(cycle) <= _LONGEST_SHOWN_CYCLE else (*cycle[: _LONGEST_SHOWN_CYCLE - 1], "...")
        message = f"{'inheritance' if extends else 'dependency'} cycle: `{' -> '.join((*shown, cycle[0]))}`"
        return self._at(message, path, f"break the cycle: remove one of its names from `{key}`")

    def _at(self, message: str, path: KeyPath, hint: str) -> Problem:
        place = self.source.value_place(path) if isinstance(path[-1], int) else self.source.key_place(path)
        return self.source.problem(message, path, hint=hint, place=place)


def find_cycles(graph: Mapping[str, Sequence[str]]) -> list[tuple[str, ...]]:
    """Return cycles of a graph (node to its successors), each once; the list is empty only if the graph has none.

    Each cycle starts at its node that comes first in `graph`, and does not repeat that node at the end.
    """
    position = {node: number for number, node in enumerate(graph)}
    cycles: dict[tuple[str, ...], None] = {}
    done: set[str] = set()
    for start in graph:
        if start in done:
            continue
        trail: dict[str, Iterator[str]] = {start: iter(graph[start])}
        while trail:
            node = next(reversed(trail))
            following = next(trail[node], None)
            if following is None:
                del trail[node]
                done.add(node)
            elif following in trail:
                names = list(trail)
                cycle = names[names.index(following) :]
                first = cycle.index(min(cycle, key=position.__getitem__))
                cycles[(*cycle[first:], *cycle[:first])] = None
            elif following in graph and following not in done:
                trail[following] = iter(graph[following])
    return list(cycles)


def _entries(value: Mapping[str, Value], key: str) -> dict[str, dict[str, Value]]:
    entries = value.get(key)
    named = entries if isinstance(entries, dict) else {}
    return {name: entry for name, entry in named.items() if isinstance(entry, dict)}


def _chosen_indexes(entry: Mapping[str, object]) -> Iterator[tuple[str, ...]]:
    """Yield the indexes that an entry names, once for each combination of the variants of its matrix."""
    own, matrix = _names(entry, "indexes"), entry.get("matrix")
    axes = [
        [_names(keys, "indexes") for keys in variants.values() if isinstance(keys, Mapping)]
        for axis, variants in (matrix.items() if isinstance(matrix, Mapping) else ())
        if axis not in SETTINGS and isinstance(variants, Mapping)
    ]
    if math.prod(map(len, axes)) > MAX_COMBINATIONS:  # reported elsewhere
        return
    for chosen in product(*axes):
        yield (*own, *chain.from_iterable(chosen))


def _names(entry: Mapping[str, object], key: str) -> tuple[str, ...]:
    value = entry.get(key)
    if isinstance(value, str):
        return (value,)
    return tuple(each for each in value if isinstance(each, str)) if isinstance(value, tuple) else ()
