"""The mutants of a module: one small change each, that some test must notice.

The kinds: inverted comparisons and branches, removed statements, emptied handlers, dropped keyword arguments, and
returned falsehoods. Only functions lose statements and arguments: what a class or a module declares is not a decision.
"""

import ast
import copy
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from tests.mutation.places import place_of_nodes

ROOT = Path(__file__).parents[2]

INVERTED: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Lt: (ast.GtE, ast.LtE),
    ast.LtE: (ast.Gt, ast.Lt),
    ast.Gt: (ast.LtE, ast.GtE),
    ast.GtE: (ast.Lt, ast.Gt),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
}
# What a function returns instead of its value, by the type that it declares: an empty value of that type.
EMPTY = {
    "bytes": "b''",
    "dict": "{}",
    "frozenset": "frozenset()",
    "int": "0",
    "list": "[]",
    "set": "set()",
    "str": "''",
    "tuple": "()",
    "Mapping": "{}",
    "Sequence": "()",
}
# Keyword arguments that change nothing that a test of a correct program can see, by the name of the function: `strict`
# is an assertion, and the tests run with UTF-8.
NEEDLESS = frozenset({("zip", "strict"), ("open", "encoding"), ("read_text", "encoding"), ("write_text", "encoding")})
# The kinds of inverted nodes; `_weakened` names its own.
KINDS: dict[type[ast.AST], str] = {
    ast.Compare: "an inverted comparison",
    ast.BoolOp: "an inverted condition",
    ast.UnaryOp: "an inverted condition",
    ast.Call: "an inverted condition",
    ast.If: "an inverted branch",
    ast.IfExp: "an inverted branch",
    ast.While: "an inverted branch",
    ast.comprehension: "an inverted filter",
    ast.Match: "a dropped case",
    ast.MatchOr: "a dropped case",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A change of one node, as a function that changes it in place.

    `lines` are those of the part that is changed. `node` is this part, or the first statement of a dropped branch: a
    test that does not execute it cannot notice the change. `kind` says in words what kind of change it is.

    `before` and `after` show the change; both are empty if the node itself is short enough to be shown.
    """

    make: Callable[[ast.AST], None]
    node: ast.AST
    lines: range
    kind: str = ""
    before: str = ""
    after: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutant:
    """One change of one module: its location, the index of the node in the walk of the tree, and the change.

    `place` is the name of the place that contains it (tests/mutation/places.py), empty if that is executed when the
    module is imported.
    """

    location: str
    path: Path
    index: int
    place: str
    change: Change

    @property
    def file(self) -> str:
        """Return the path of the module relative to the top of the repository."""
        return self.path.relative_to(ROOT).as_posix()

    @property
    def module(self) -> str:
        """Return the name of the module."""
        return ".".join(self.path.relative_to(ROOT).with_suffix("").parts)

    @property
    def source(self) -> str:
        """Return the source of the module with the change."""
        tree = ast.parse(self.path.read_text(encoding="utf-8"))
        self.change.make(next(each for place, each in enumerate(ast.walk(tree)) if place == self.index))
        return ast.unparse(ast.fix_missing_locations(tree))


def mutants_in(paths: Iterable[Path], *, decisions: bool = False) -> list[Mutant]:
    """Return every mutant of some modules, or with `decisions` only those with an inverted comparison or branch.

    Equal locations are distinguished by a number.
    """
    found: dict[str, Mutant] = {}
    for path in paths:
        for mutant in _mutants(path, decisions=decisions):
            number, location = 1, mutant.location
            while location in found:
                number += 1
                location = f"{mutant.location} [{number}]"
            found[location] = replace(mutant, location=location)
    return list(found.values())


def _mutants(path: Path, *, decisions: bool) -> Iterator[Mutant]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    owners = dict(_owners(tree, "", None))
    relative = path.relative_to(ROOT)
    found = place_of_nodes(tree, relative.as_posix())
    for index, node in enumerate(ast.walk(tree)):
        owner, function = owners.get(node, ("", None))
        weakened = () if decisions or function is None else _weakened(node, function)
        inverted = (replace(each, kind=KINDS[type(node)]) for each in _inverted(node))
        for change in (*inverted, *weakened):
            before, after = change.before, change.after
            if not before:
                twin = _twin(node)
                change.make(twin)
                before, after = _text(node), _text(twin)
            location = f"{relative} {owner}: {before} => {after}"
            yield Mutant(location=location, path=path, index=index, place=found.get(change.node, ""), change=change)


def _twin(node: ast.AST, levels: int = 2) -> ast.AST:
    """Return a copy of a node as deep as a change reaches: the node itself, its lists, and the nodes in it."""
    twin = copy.copy(node)
    for name, value in ast.iter_fields(node):
        if isinstance(value, list):
            setattr(twin, name, list(value))
        elif isinstance(value, ast.AST) and levels > 1:
            setattr(twin, name, _twin(value, levels - 1))
    return twin


def _owners(
    node: ast.AST, owner: str, function: ast.FunctionDef | None
) -> Iterator[tuple[ast.AST, tuple[str, ast.FunctionDef | None]]]:
    """Yield every node with the qualified name of the function or class that contains it, and with the function."""
    for child in ast.iter_child_nodes(node):
        named = isinstance(child, ast.FunctionDef | ast.ClassDef)
        inner = f"{owner}.{child.name}".lstrip(".") if isinstance(child, ast.FunctionDef | ast.ClassDef) else owner
        within = child if isinstance(child, ast.FunctionDef) else None if named else function
        yield child, (inner, within)
        yield from _owners(child, inner, within)


def _text(node: ast.AST) -> str:
    """Return a node as one short line; a statement or a match as its head only."""
    if isinstance(node, ast.If | ast.While):
        return f"{type(node).__name__.lower()} {ast.unparse(node.test)}"
    if isinstance(node, ast.Match):
        return f"match {ast.unparse(node.subject)}: {' / '.join(ast.unparse(each.pattern) for each in node.cases)}"
    return " ".join(ast.unparse(node).split())


def _inverted(node: ast.AST) -> Iterator[Change]:
    """Yield inverted comparisons and branches."""
    match node:
        case ast.Compare(ops=ops):
            for place, operator in enumerate(ops):
                yield from (_setter(node, f"ops.{place}", inverted()) for inverted in INVERTED[type(operator)])
        case ast.BoolOp(op=operator):
            yield _setter(node, "op", ast.Or() if isinstance(operator, ast.And) else ast.And())
        case ast.If(test=ast.Name(id="TYPE_CHECKING")):  # it decides nothing when the program runs
            return
        case ast.If(test=test, body=[first, *_]):
            yield _setter(test, "test", ast.Constant(value=True))
            yield replace(_setter(test, "test", ast.Constant(value=False)), node=first)
        case ast.IfExp(test=test):
            yield from (_setter(test, "test", ast.Constant(value)) for value in (True, False))
        case ast.While(test=test):
            yield _setter(test, "test", ast.Constant(value=False))
        case ast.comprehension(ifs=tests):
            for place, test in enumerate(tests):
                yield from (_setter(test, f"ifs.{place}", ast.Constant(value)) for value in (True, False))
        case ast.Match(cases=cases) if len(cases) > 1:
            for place, each in enumerate(cases):
                if not _is_assert_never(each.body[0]):
                    yield replace(_dropper(each.pattern, "cases", place), node=each.body[0])
        case ast.MatchOr(patterns=patterns):
            yield from (_dropper(each, "patterns", place) for place, each in enumerate(patterns))
        case ast.Call(func=ast.Name(id="any" | "all" as name)):
            yield _setter(node, "func.id", "all" if name == "any" else "any")
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            yield _setter(node, "operand", ast.UnaryOp(op=ast.Not(), operand=operand))
        case _:
            return


def _weakened(node: ast.AST, function: ast.FunctionDef) -> Iterator[Change]:
    """Yield removed statements, emptied handlers, dropped arguments and returned falsehoods of a function."""
    for block in ("body", "orelse", "finalbody"):
        statements = getattr(node, block, None)
        for place, each in enumerate(statements if isinstance(statements, list) else ()):
            if _is_removable(each) and not isinstance(node, ast.ClassDef):
                yield _setter(
                    each, f"{block}.{place}", ast.Pass(), shown=(_text(each), "pass"), kind="a removed statement"
                )
    match node:
        case ast.ExceptHandler(type=kind, body=[first, *_]) if not _does_nothing(node, function):
            caught = ast.unparse(kind) if kind else ""
            shown = (f"except {caught}: {_text(first)}", "pass")
            yield _setter(first, "body", [ast.Pass()], shown=shown, last=node.body[-1], kind="an emptied handler")
        case ast.Call(func=called, keywords=keywords):
            name = called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")
            for place, keyword in enumerate(keywords):
                if keyword.arg and (name, keyword.arg) not in NEEDLESS:
                    shown = (f"{name}({' '.join(ast.unparse(keyword).split())})", f"{name}()")
                    yield _dropper(keyword, "keywords", place, shown=shown, kind="a dropped argument")
        case ast.Return(value=value) if value is not None:
            falsehood = _falsehood(value, function)
            if falsehood != ast.unparse(value):
                shown = (_text(node), f"return {falsehood}")
                value = ast.parse(falsehood, mode="eval").body
                yield _setter(node, "value", value, shown=shown, kind="a returned falsehood")
        case _:
            return


def _does_nothing(handler: ast.ExceptHandler, function: ast.FunctionDef) -> bool:
    """Return whether a handler is empty, or only returns None where the function ends without it too."""
    last = function.body[-1]
    match handler.body:
        case [ast.Pass()]:
            return True
        case [ast.Return(value=None | ast.Constant(value=None))]:
            return isinstance(last, ast.Try) and handler in last.handlers and not last.finalbody
        case _:
            return False


def _is_removable(statement: ast.stmt) -> bool:
    """Return whether a statement is a call, an assignment, a deletion or a raise; a docstring is not."""
    if _is_assert_never(statement):
        return False
    match statement:
        case ast.Expr(value=ast.Constant()):
            return False
        case ast.AnnAssign(value=None):
            return False
        case ast.Expr() | ast.Assign() | ast.AugAssign() | ast.AnnAssign() | ast.Delete() | ast.Raise():
            return True
        case ast.Break() | ast.Continue():
            return True
        case _:
            return False


def _is_assert_never(statement: ast.stmt) -> bool:
    """Return whether a statement calls `assert_never`, which no correct program does: mypy proves it."""
    match statement:
        case ast.Expr(value=ast.Call(func=ast.Name(id="assert_never"))):
            return True
        case _:
            return False


def _falsehood(value: ast.expr, function: ast.FunctionDef) -> str:
    """Return the expression that a function returns instead of `value`: its opposite, or an empty value."""
    if isinstance(value, ast.Constant) and isinstance(value.value, bool):
        return repr(not value.value)
    declared = function.returns
    if isinstance(declared, ast.Name) and declared.id == "bool":
        return f"not ({ast.unparse(value)})"
    outer = declared.value if isinstance(declared, ast.Subscript) else declared
    return EMPTY.get(outer.id, "None") if isinstance(outer, ast.Name) else "None"


def _setter(
    changed: ast.AST,
    where: str,
    value: object,
    *,
    shown: tuple[str, str] = ("", ""),
    last: ast.AST | None = None,
    kind: str = "",
) -> Change:
    """Return the change that sets the attribute or list entry `where` to `value`."""

    def make(node: ast.AST) -> None:
        target: object = node
        *parents, name = where.split(".")
        for part in parents:
            target = getattr(target, part)
        if isinstance(target, list):
            target[int(name)] = value
        else:
            setattr(target, name, value)

    lines = _lines(changed, last or changed)
    return Change(make=make, node=changed, lines=lines, kind=kind, before=shown[0], after=shown[1])


def _dropper(changed: ast.AST, where: str, place: int, *, shown: tuple[str, str] = ("", ""), kind: str = "") -> Change:
    """Return the change that drops an entry of the list `where`."""
    lines = _lines(changed, changed)

    def make(node: ast.AST) -> None:
        getattr(node, where).pop(place)

    return Change(make=make, node=changed, lines=lines, kind=kind, before=shown[0], after=shown[1])


def _lines(first: ast.AST, last: ast.AST) -> range:
    return range(getattr(first, "lineno", 0), (getattr(last, "end_lineno", 0) or 0) + 1)
