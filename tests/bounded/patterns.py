"""Every regular expression of the package, where it is written, and the functions of `re` that it is used with."""

import ast
import importlib
import pkgutil
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import ModuleType

import reconciler

SOURCE = Path(reconciler.__file__).parent
_FUNCTIONS = frozenset({"compile", "match", "fullmatch", "search", "sub", "subn", "split", "findall", "finditer"})
# Scanning functions all try every start, so one of them stands for all.
_SCANS = frozenset({"search", "sub", "subn", "split", "findall", "finditer"})
_EVERY = frozenset({"match", "fullmatch", "finditer"})  # of a pattern in a list, or in an argument
# A module without this text uses no expression, so it is not parsed.
_MENTIONED = re.compile(rf"\.(?:{'|'.join(sorted(_FUNCTIONS))})\b")
_NOT_IMPORTED = "reconciler.__main__"


@dataclass(frozen=True, slots=True)
class Use:
    """A pattern and one way of using it: `match`, `fullmatch` or `finditer` (all functions that scan the text)."""

    place: str
    pattern: re.Pattern[str] | re.Pattern[bytes]
    function: str

    def __str__(self) -> str:
        return f"{self.place} {self.function} {self.pattern.pattern!r}"


@cache
def modules() -> tuple[ModuleType, ...]:
    """Return every module of the package."""
    found = [
        each.name for each in pkgutil.walk_packages(reconciler.__path__, "reconciler.") if each.name != _NOT_IMPORTED
    ]
    return tuple(importlib.import_module(each) for each in sorted(found))


@cache
def uses() -> tuple[Use, ...]:
    """Return every use of a regular expression, each once."""
    return tuple(dict.fromkeys(_uses()))


@cache
def unknown() -> tuple[str, ...]:
    """Return the calls of `re` whose pattern depends on what a function was given."""
    return tuple(
        f"{_place(module)}: {ast.unparse(node)}"
        for module, node, name in _calls()
        if name and _text(module, node) is None
    )


def _uses() -> Iterator[Use]:
    methods = _methods()
    for module in modules():
        for name, value in vars(module).items():
            if isinstance(value, re.Pattern) and _defines(module, name):
                for function in sorted(methods.get((module.__name__ if name.startswith("_") else "", name), _EVERY)):
                    yield Use(_place(module), value, _kind(function))
            elif isinstance(value, str) and name.endswith("_PATTERN") and _defines(module, name):
                yield Use(_place(module), re.compile(value), "fullmatch")
    for module, node, function in _calls():
        text = _text(module, node)
        if text is not None and function and function != "compile":
            yield Use(_place(module), re.compile(text, _flags(module, node)), _kind(function))
        elif text is not None and function:  # compiled inside of a function or a collection
            compiled = re.compile(text, _flags(module, node))
            if not any(each is compiled for each in vars(module).values()):
                for each in sorted(_EVERY):
                    yield Use(_place(module), compiled, each)


def _kind(function: str) -> str:
    return "finditer" if function in _SCANS else function


def _place(module: ModuleType) -> str:
    return Path(str(module.__file__)).relative_to(SOURCE).as_posix()


def _source(module: ModuleType) -> str:
    return Path(str(module.__file__)).read_text(encoding="utf-8")


@cache
def _tree(module: ModuleType) -> ast.Module:
    return ast.parse(_source(module))


@cache
def _attributes_and_calls(module: ModuleType) -> tuple[ast.Attribute | ast.Call, ...]:
    if not _MENTIONED.search(_source(module)):
        return ()
    return tuple(each for each in ast.walk(_tree(module)) if isinstance(each, ast.Attribute | ast.Call))


@cache
def _assigned(module: ModuleType) -> frozenset[str]:
    return frozenset(
        target.id
        for node in _tree(module).body
        for target in (
            (*node.targets,)
            if isinstance(node, ast.Assign)
            else (node.target,)
            if isinstance(node, ast.AnnAssign)
            else ()
        )
        if isinstance(target, ast.Name)
    )


def _defines(module: ModuleType, name: str) -> bool:
    """Return whether a name is assigned in a module, and not imported."""
    return name in _assigned(module)


def _calls() -> Iterator[tuple[ModuleType, ast.Call, str]]:
    """Yield every call of a function of `re` that gets a pattern."""
    for module in modules():
        for node in _attributes_and_calls(module):
            match node:
                case ast.Call(func=ast.Attribute(value=ast.Name(id="re"), attr=name), args=[_, *_]) if (
                    name in _FUNCTIONS
                ):
                    yield module, node, name
                case _:
                    pass


def _text(module: ModuleType, node: ast.Call) -> str | bytes | None:
    """Return the pattern of a call, None if it depends on what a function was given."""
    try:
        found = eval(compile(ast.Expression(node.args[0]), "<pattern>", "eval"), vars(module))  # noqa: S307  # of our own source
    except NameError:
        return None
    return found.pattern if isinstance(found, re.Pattern) else found if isinstance(found, str | bytes) else None


def _flags(module: ModuleType, node: ast.Call) -> int:
    written = [each.value for each in node.keywords if each.arg == "flags"]
    written += [
        each for each in node.args[1:] if isinstance(each, ast.Attribute | ast.BinOp) and "re." in ast.unparse(each)
    ]
    return int(eval(compile(ast.Expression(written[0]), "<flags>", "eval"), vars(module))) if written else 0  # noqa: S307


@cache
def _methods() -> dict[tuple[str, str], set[str]]:
    """Return the methods that are called on each name: a private one in its module, others in the whole package."""
    found: dict[tuple[str, str], set[str]] = {}
    for module in modules():
        for node in _attributes_and_calls(module):
            match node:
                case ast.Attribute(value=ast.Name(id=name) | ast.Attribute(attr=name), attr=method) if (
                    method in _FUNCTIONS - {"compile"}
                ):
                    found.setdefault((module.__name__ if name.startswith("_") else "", name), set()).add(method)
                case _:
                    pass
    return found


if __name__ == "__main__":
    print(len(uses()), *unknown(), sep="\n", file=sys.stdout)
