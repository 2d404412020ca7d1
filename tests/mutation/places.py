"""The places of a module: each function, and each run of statements in it that is executed or skipped as a whole.

A place has a name: `reconciler/run.py run_in 1f0a2b3c 4` is the fifth of the function `run_in`. The hexadecimal number
is a digest of the function, so that a measurement of an earlier version of it is not mistaken for one of this version.
"""

import ast
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

_LEAVING = (ast.Return, ast.Raise, ast.Break, ast.Continue)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Statements of a function: `name` is that of the place, `statements` is the list that contains them.

    They start at `start` and end before the next place of the same list. `cached` says that the result of the function
    is kept, so that only its first call reaches them.
    """

    name: str
    statements: list[ast.stmt]
    start: int
    cached: bool


def places(tree: ast.Module, file: str) -> Iterator[Place]:
    """Yield every place of a module; those of one list of statements follow each other."""
    for qualified, function in _functions(tree, ""):
        digest = hashlib.sha256(ast.dump(function).encode()).hexdigest()[:8]
        cached = any("cache" in ast.unparse(each) for each in function.decorator_list)
        number = 0
        for statements in _blocks(function):
            first = 1 if statements is function.body and ast.get_docstring(function, clean=False) is not None else 0
            for start in _starts(statements, first):
                yield Place(
                    name=f"{file} {qualified} {digest} {number}", statements=statements, start=start, cached=cached
                )
                number += 1


def place_of_nodes(tree: ast.Module, file: str) -> dict[ast.AST, str]:
    """Return the name of the place of each node that has one."""
    found: dict[ast.AST, str] = {}
    for place in reversed(list(places(tree, file))):  # from inside to outside, so that every node is visited once
        waiting: list[ast.AST] = list(place.statements[place.start :])
        while waiting:
            node = waiting.pop()
            if node not in found:
                found[node] = place.name
                waiting += ast.iter_child_nodes(node)
    return found


def function_of(place: str) -> str:
    """Return the path and the name of the function of a place."""
    return place.rsplit(" ", 2)[0]


def version_of(place: str) -> str:
    """Return the path, the name and the digest of the function of a place."""
    return place.rpartition(" ")[0]


def _functions(node: ast.AST, owner: str) -> Iterator[tuple[str, ast.FunctionDef]]:
    """Yield every function with its qualified name, outer ones first."""
    for child in ast.iter_child_nodes(node):
        inner = f"{owner}.{child.name}".lstrip(".") if isinstance(child, ast.FunctionDef | ast.ClassDef) else owner
        if isinstance(child, ast.FunctionDef):
            yield inner, child
        yield from _functions(child, inner)


def _blocks(node: ast.AST) -> Iterator[list[ast.stmt]]:
    """Yield the lists of statements in a function, outer ones first, without those of functions in it."""
    for name in ("body", "orelse", "finalbody"):
        statements = getattr(node, name, None)
        if isinstance(statements, list) and statements:
            yield statements
            for each in statements:
                if not isinstance(each, ast.FunctionDef | ast.ClassDef):
                    yield from _blocks(each)
    for name in ("handlers", "cases"):
        for each in getattr(node, name, ()):
            yield from _blocks(each)


def _starts(statements: list[ast.stmt], first: int) -> Iterator[int]:
    """Yield where a place starts: at the top, and after a statement that may leave the list."""
    if first < len(statements):
        yield first
    for index in range(first, len(statements) - 1):
        if isinstance(statements[index], ast.If | ast.For | ast.While | ast.With | ast.Try | ast.Match) and any(
            isinstance(each, _LEAVING) for each in ast.walk(statements[index])
        ):
            yield index + 1
