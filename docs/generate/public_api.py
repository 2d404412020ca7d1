"""The public names of the package as data: signatures as they are written in the source, and docstrings."""

import ast
import dataclasses
import inspect
import textwrap
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum
from typing import get_args

import reconciler
from reconciler.errors import EnvsyncError


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A field, enum value, property or method of a class: how it is written, and its docstring's paragraphs."""

    name: str
    kind: str
    text: str
    paragraphs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicName:
    """One name of `reconciler.__all__`: what it is, how it is called, its docstring and its public members."""

    name: str
    kind: str
    signature: str
    paragraphs: tuple[str, ...]
    members: tuple[Member, ...] = ()


def public_names() -> tuple[PublicName, ...]:
    """Return every public name, functions first, then classes, then constants and type aliases, each sorted."""
    found = [_public(name, getattr(reconciler, name)) for name in reconciler.__all__]
    order = ("function", "class", "enum", "error", "value")
    return tuple(sorted(found, key=lambda each: (order.index(each.kind), each.name)))


def error_classes(root: type[EnvsyncError] = EnvsyncError) -> Iterator[type[EnvsyncError]]:
    """Yield every subclass of an error in `reconciler.errors`, each behind its base."""
    for each in root.__subclasses__():
        if each.__module__ == EnvsyncError.__module__:
            yield each
            yield from error_classes(each)


def _public(name: str, value: object) -> PublicName:
    if inspect.isclass(value):
        kind = "error" if issubclass(value, Exception) else "enum" if issubclass(value, Enum) else "class"
        members = tuple(_members(value))
        return PublicName(name=name, kind=kind, signature="", paragraphs=_paragraphs(value), members=members)
    if inspect.isfunction(value):
        return PublicName(name=name, kind="function", signature=_signature(value), paragraphs=_paragraphs(value))
    union = " | ".join(each.__name__ for each in get_args(value))
    return PublicName(
        name=name,
        kind="value",
        signature=f"{name} = {union}" if union else f"{name}: {type(value).__name__}",
        paragraphs=(),
    )


def _members(owner: type) -> Iterator[Member]:
    if issubclass(owner, Enum):
        for value in owner:
            yield Member(name=value.name, kind="field", text=f"{value.name} = {_quoted(repr(value.value))}")
        return
    if dataclasses.is_dataclass(owner):
        for field in dataclasses.fields(owner):
            if not field.name.startswith("_"):
                yield Member(name=field.name, kind="field", text=_field(owner, field))
    for name, value in vars(owner).items():
        if name.startswith("_"):
            continue
        if isinstance(value, property):
            returns = _definition(value.fget).returns
            text = f"{name}: {_unquoted(ast.unparse(returns))}" if returns else name
            yield Member(name=name, kind="property", text=text, paragraphs=_paragraphs(value.fget))
        elif isinstance(value, classmethod) or inspect.isfunction(value):
            function = value.__func__ if isinstance(value, classmethod) else value
            yield Member(name=name, kind="method", text=_signature(function), paragraphs=_paragraphs(function))


def _field(owner: type, field: "dataclasses.Field[object]") -> str:
    """Return a field as its class declares it: name, type, and default."""
    declared = (
        statement
        for base in owner.__mro__[:-1]
        for statement in _body(base)
        if isinstance(statement, ast.AnnAssign) and ast.unparse(statement.target) == field.name
    )
    text = f"{field.name}: {_unquoted(ast.unparse(next(declared).annotation))}"
    default = field.default
    if default is not dataclasses.MISSING:
        return f"{text} = {_default(default)}"
    factory = field.default_factory
    return text if factory is dataclasses.MISSING else f"{text} = {getattr(factory, '__name__', '...')}()"


def _default(default: object) -> str:
    """Return a default as it is written; of an instance of a dataclass only the class."""
    if isinstance(default, Enum):
        return f"{type(default).__name__}.{default.name}"
    return f"{type(default).__name__}(...)" if dataclasses.is_dataclass(default) else _quoted(repr(default))


def _body(owner: type) -> list[ast.stmt]:
    (statement,) = ast.parse(textwrap.dedent(inspect.getsource(owner))).body
    assert isinstance(statement, ast.ClassDef)  # noqa: S101  # the source of a class is one
    return statement.body


def _definition(function: Callable[..., object] | None) -> ast.FunctionDef:
    assert function is not None  # noqa: S101  # only a property that cannot be read has no getter
    (statement,) = ast.parse(textwrap.dedent(inspect.getsource(inspect.unwrap(function)))).body
    assert isinstance(statement, ast.FunctionDef)  # noqa: S101  # the source of a function is one
    return statement


def _signature(function: Callable[..., object]) -> str:
    """Return a signature in the words of the source, on one line if it has at most 88 characters."""
    found = _definition(function)
    arguments = [each for each in _arguments(found.args) if each not in {"self", "cls"}]
    returns = f" -> {_unquoted(ast.unparse(found.returns))}" if found.returns else ""
    if "contextmanager" in map(ast.unparse, found.decorator_list):
        returns = returns.replace("Iterator[", "AbstractContextManager[", 1)
    line = f"{found.name}({', '.join(arguments)}){returns}"
    if len(line) <= 88:
        return line
    body = "".join(f"    {each},\n" for each in arguments)
    return f"{found.name}(\n{body}){returns}"


def _arguments(found: ast.arguments) -> Iterator[str]:
    positional = [*found.posonlyargs, *found.args]
    missing = len(positional) - len(found.defaults)
    for number, each in enumerate(positional):
        yield _argument(each, found.defaults[number - missing] if number >= missing else None)
        if each in found.posonlyargs[-1:]:
            yield "/"
    if found.vararg:
        yield f"*{_argument(found.vararg, None)}"
    elif found.kwonlyargs:
        yield "*"
    for each, default in zip(found.kwonlyargs, found.kw_defaults, strict=True):
        yield _argument(each, default)
    if found.kwarg:
        yield f"**{_argument(found.kwarg, None)}"


def _argument(found: ast.arg, default: ast.expr | None) -> str:
    text = f"{found.arg}: {_unquoted(ast.unparse(found.annotation))}" if found.annotation else found.arg
    return text if default is None else f"{text} = {_quoted(ast.unparse(default))}"


def _unquoted(annotation: str) -> str:
    """Return an annotation without the quotes of forward references."""
    return annotation.replace("'", "").replace('"', "")


def _quoted(literal: str) -> str:
    """Return a literal with double quotes."""
    return literal if '"' in literal else literal.replace("'", '"')


def _paragraphs(value: object) -> tuple[str, ...]:
    return tuple(" ".join(each.split()) for each in (inspect.getdoc(value) or "").split("\n\n") if each)
