"""Every hint in the source of `reconciler`, found by following values back to the strings that they are made of.

A hint starts at a *sink*: the keyword `hint`, `hints` or `why` of a call, a positional argument of that name, an
attribute `.hint`, a class variable `default_hint` or `cure` that is assigned, or a string that contains `hint: `. From
there the value is followed through names, constants, conditions, calls, parameters and collections.
"""

import ast
import itertools
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import reconciler

PACKAGE = Path(reconciler.__file__).parent
SINKS = frozenset({"hint", "hints", "why"})
CLASS_VARIABLES = frozenset({"default_hint", "cure"})
MARK = re.compile(r"(?:^f?['\"]|\\n|echo \\?')hint: ")
PRINTED = re.compile(r"(?:^|\n|echo ')hint: ([^\n']+)")
NO_WORDS = re.compile(r"(?:hint: )?(?:\{[^{}]*\})?")  # a label, and a value whose words are elsewhere
Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, slots=True, order=True)
class Hint:
    """One hint: the module that has its words, relative to `reconciler`, and the words; `{expression}` is a value."""

    module: str
    template: str

    def __str__(self) -> str:
        return f"{self.module}: {self.template}"


@dataclass(frozen=True, slots=True, order=True)
class Unknown:
    """A value of a sink whose words could not be found: the module and its source."""

    module: str
    source: str


@dataclass(frozen=True, slots=True)
class _Piece:
    """One possible text of an expression, and the module that has its words; empty if it has no words of its own."""

    module: str
    text: str
    words: bool


@dataclass(kw_only=True)
class _Module:
    name: str
    tree: ast.Module
    constants: dict[str, list[ast.expr]] = field(default_factory=dict)
    functions: dict[str, list[Function]] = field(default_factory=dict)
    classes: dict[str, ast.ClassDef] = field(default_factory=dict)
    imports: dict[str, tuple[str, str]] = field(default_factory=dict)
    parents: dict[ast.AST, ast.AST] = field(default_factory=dict)
    nodes: list[ast.AST] = field(default_factory=list)


@cache
def hints() -> tuple[frozenset[Hint], frozenset[Unknown]]:
    """Return every hint of the package, and the values of sinks that could not be followed."""
    package = _Package({each.name: each for each in _modules()})
    found, unknown = set[Hint](), set[Unknown]()
    for module in package.modules.values():
        for expression in package.sinks(module):
            for piece in package.pieces(expression, module, frozenset()):
                marked = PRINTED.search(piece.text)
                text = marked.group(1) if marked else piece.text
                if isinstance(expression, ast.Constant) and marked:  # a template for `str.format`
                    text = text.replace("{{", "{").replace("}}", "}")
                if piece.words and not NO_WORDS.fullmatch(text):
                    found.add(Hint(piece.module, text))
                elif piece.text:
                    unknown.add(Unknown(module.name, piece.text))
    return frozenset(found), frozenset(unknown)


def _modules() -> Iterator[_Module]:
    for path in sorted(PACKAGE.rglob("*.py")):
        module = _Module(name=path.relative_to(PACKAGE).as_posix(), tree=ast.parse(path.read_text(encoding="utf-8")))
        module.nodes = [module.tree]
        for node in module.nodes:  # it grows: like ast.walk, which takes four times as long
            children = list(_children(node))
            module.nodes += children
            module.parents.update(dict.fromkeys(children, node))
            match node:
                case ast.FunctionDef() | ast.AsyncFunctionDef():
                    module.functions.setdefault(node.name, []).append(node)
                case ast.ClassDef():
                    module.classes[node.name] = node
                case ast.ImportFrom(module=str() as origin) if origin.startswith("reconciler"):
                    for each in node.names:
                        module.imports[each.asname or each.name] = (origin, each.name)
                case _:
                    pass
        for statement in module.tree.body:
            for name, value in _assigned(statement):
                module.constants.setdefault(name, []).append(value)
        yield module


def _children(node: ast.AST) -> Iterator[ast.AST]:
    for value in vars(node).values():
        if isinstance(value, ast.AST):
            yield value
        elif isinstance(value, list):
            yield from (each for each in value if isinstance(each, ast.AST))


def _assigned(statement: ast.AST) -> Iterator[tuple[str, ast.expr]]:
    """Yield the names that a statement assigns, with the values; `a, b = x` assigns subscripts of `x`."""
    match statement:
        case ast.Assign(targets=targets, value=value):
            for target in targets:
                yield from _pairs(target, value)
        case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
            yield name, value
        case ast.AugAssign(target=ast.Name(id=name), value=value):
            yield name, value
        case ast.NamedExpr(target=ast.Name(id=name), value=value):
            yield name, value
        case ast.For(target=target, iter=value) | ast.comprehension(target=target, iter=value):
            yield from _pairs(target, value)
        case _:
            pass


def _pairs(target: ast.expr, value: ast.expr) -> Iterator[tuple[str, ast.expr]]:
    match target:
        case ast.Name(id=name):
            yield name, value
        case ast.Tuple(elts=names):
            for number, each in enumerate(names):
                if isinstance(each, ast.Name):
                    element = ast.Subscript(value=value, slice=ast.Constant(value=number), ctx=ast.Load())
                    yield each.id, element
        case _:
            pass


class _Package:
    """The modules, and what was found in them already."""

    def __init__(self, modules: Mapping[str, _Module]) -> None:
        self.modules = modules
        self._calls: dict[ast.AST, list[tuple[_Module, ast.Call]]] = {}
        self._pieces: dict[tuple[int, str], list[_Piece]] = {}
        self._circular: set[tuple[int, str]] = set()  # expressions that the one in work contains and that contain it
        self._assignments: dict[ast.AST, dict[str, list[ast.expr]]] = {}
        for module in modules.values():
            for node in module.nodes:
                if isinstance(node, ast.Call):
                    for _, function in self._callees(node.func, module):
                        self._calls.setdefault(function, []).append((module, node))

    def sinks(self, module: _Module) -> Iterator[ast.expr]:
        """Yield every expression in `module` that becomes a hint."""
        for node in module.nodes:
            match node:
                case ast.Call(keywords=keywords):
                    yield from (each.value for each in keywords if each.arg in SINKS)
                    yield from self._positional(node, module)
                case ast.Assign(targets=[ast.Attribute(attr="hint")], value=value):
                    yield value
                case ast.AnnAssign() | ast.Assign():
                    yield from (value for name, value in _assigned(node) if name in {"hint", *CLASS_VARIABLES})
                case ast.FunctionDef(args=arguments):
                    every = [*arguments.posonlyargs, *arguments.args]
                    defaults: list[tuple[ast.arg, ast.expr | None]] = []
                    defaults += zip(every[::-1], arguments.defaults[::-1], strict=False)
                    defaults += zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
                    yield from (value for each, value in defaults if each.arg in SINKS and value is not None)
                case ast.Constant(value=str()) | ast.JoinedStr() if MARK.search(ast.unparse(node)):
                    if not isinstance(module.parents.get(node), ast.JoinedStr | ast.Expr):
                        yield node
                case _:
                    pass

    def _positional(self, call: ast.Call, module: _Module) -> Iterator[ast.expr]:
        for _, function in self._callees(call.func, module):
            names = [each.arg for each in [*function.args.posonlyargs, *function.args.args]]
            names = names[1:] if names[:1] in (["self"], ["cls"]) else names
            yield from (value for name, value in zip(names, call.args, strict=False) if name in SINKS)

    def pieces(self, node: ast.expr, module: _Module, seen: frozenset[object]) -> list[_Piece]:
        """Return every text that an expression can have; `seen` are the expressions that it is a part of."""
        key = (id(node), module.name)
        if key in self._pieces:
            return self._pieces[key]
        if key in seen:
            self._circular.add(key)
            return []
        outer, self._circular = self._circular, set()
        found = self._own_pieces(node, module, seen | {key})
        self._circular.discard(key)
        if not self._circular:  # otherwise texts may be missing, because it is a part of itself in a larger one
            self._pieces[key] = found
        self._circular |= outer
        return found

    def _own_pieces(self, node: ast.expr, module: _Module, seen: frozenset[object]) -> list[_Piece]:
        match node:
            case ast.Constant(value=str(text)):
                escaped = text.replace("{", "{{").replace("}", "}}")
                return [_Piece(module.name, escaped, words=bool(text.strip()))]
            case ast.Constant():
                return []
            case ast.JoinedStr(values=values):
                return self._joined([self._value(each, module, seen) for each in values], module)
            case ast.BinOp(op=ast.Add(), left=left, right=right):
                return self._joined([self.pieces(left, module, seen), self.pieces(right, module, seen)], module)
            case ast.IfExp(body=body, orelse=other):
                return [*self.pieces(body, module, seen), *self.pieces(other, module, seen)]
            case ast.BoolOp(values=values) | ast.Tuple(elts=values) | ast.List(elts=values) | ast.Set(elts=values):
                return self._all(values, module, seen)
            case ast.Dict(values=values):
                return self._all(values, module, seen)
            case ast.Starred(value=value) | ast.NamedExpr(value=value):
                return self.pieces(value, module, seen)
            case ast.GeneratorExp(elt=element) | ast.ListComp(elt=element):
                return self.pieces(element, module, seen)
            case ast.Subscript(value=value, slice=where):
                return self._subscript(value, where, module, seen)
            case ast.Name(id=name):
                return self._name(node, name, module, seen)
            case ast.Call():
                return self._call(node, module, seen)
            case ast.Attribute(attr=name) if name in SINKS | CLASS_VARIABLES:
                return []  # it comes from a sink of its own
            case _:
                return [_Piece(module.name, ast.unparse(node), words=False)]

    def _all(self, values: Iterable[ast.expr], module: _Module, seen: frozenset[object]) -> list[_Piece]:
        return [piece for each in values for piece in self.pieces(each, module, seen)]

    def _joined(self, parts: Sequence[list[_Piece]], module: _Module) -> list[_Piece]:
        """Return every combination of the texts of parts; the words belong to the module that joins them."""
        found = []
        for chosen in itertools.product(*[each or [_Piece(module.name, "", words=False)] for each in parts]):
            words = any(each.words for each in chosen)
            text = "".join(each.text if each.words or not each.text.strip() else f"{{{each.text}}}" for each in chosen)
            found.append(_Piece(module.name, text, words))
        return found

    def _value(self, node: ast.expr, module: _Module, seen: frozenset[object]) -> list[_Piece]:
        """Return the texts of a part of an f-string; a value without words is shown as its source."""
        if not isinstance(node, ast.FormattedValue):
            return self.pieces(node, module, seen)
        shown = _Piece(module.name, ast.unparse(node.value), words=False)
        if isinstance(node.value, ast.Name | ast.IfExp | ast.Constant):
            found = self.pieces(node.value, module, seen)
            if any(each.words for each in found) and all(not each.text or " " in each.text for each in found):
                return found
        return [shown]

    def _subscript(self, value: ast.expr, where: ast.expr, module: _Module, seen: frozenset[object]) -> list[_Piece]:
        """Return the texts of an element; of a tuple only that with this number."""
        found = []
        for origin, container in self._containers(value, module, seen):
            match container, where:
                case ast.Tuple(elts=elements), ast.Constant(value=int(number)) if number < len(elements):
                    found += self.pieces(elements[number], origin, seen)
                case ast.Dict(values=elements), ast.Constant(value=int()):
                    found += self._all(elements, origin, seen)
                case _:
                    found += self.pieces(container, origin, seen)
        return found or [_Piece(module.name, ast.unparse(value), words=False)]

    def _containers(
        self, node: ast.expr, module: _Module, seen: frozenset[object]
    ) -> Iterator[tuple[_Module, ast.expr]]:
        match node:
            case ast.Name(id=name):
                for origin, value in self._constants(name, module):
                    yield from self._containers(value, origin, seen)
            case ast.Subscript(value=value):
                for origin, container in self._containers(value, module, seen):
                    if isinstance(container, ast.Dict):
                        yield from ((origin, each) for each in container.values)
            case ast.Dict() | ast.Tuple() | ast.List():
                yield module, node
            case ast.Call(func=ast.Name(id="MappingProxyType"), args=[first]):
                yield from self._containers(first, module, seen)
            case _:
                pass

    def _constants(self, name: str, module: _Module) -> Iterator[tuple[_Module, ast.expr]]:
        yield from ((module, each) for each in module.constants.get(name, ()))
        if name in module.imports:
            origin = self._imported(name, module)
            if origin is not None:
                yield from ((origin[0], each) for each in origin[0].constants.get(origin[1], ()))

    def _imported(self, name: str, module: _Module) -> tuple[_Module, str] | None:
        origin, original = module.imports[name]
        path = "/".join(origin.split(".")[1:])
        found = self.modules.get(f"{path}.py") or self.modules.get(f"{path}/__init__.py".lstrip("/"))
        if found is not None and original in found.imports:
            return self._imported(original, found)
        return (found, original) if found is not None else None

    def _name(self, node: ast.expr, name: str, module: _Module, seen: frozenset[object]) -> list[_Piece]:
        found: list[_Piece] = []
        known = False
        function = self._function(node, module)
        while function is not None:
            for value in self._assigned_in(function).get(name, ()):
                known = True
                found += self.pieces(value, module, seen)
            arguments = [each.arg for each in ast.walk(function.args) if isinstance(each, ast.arg)]
            if name in arguments:
                known = True
                if name not in SINKS:  # what is given to a parameter of that name is a sink of its own
                    found += self._arguments(function, name, seen)
                break
            if known:
                break
            function = self._function(module.parents.get(function), module)
        if not known:
            for origin, value in self._constants(name, module):
                known = True
                found += self.pieces(value, origin, seen)
        return found if known else [_Piece(module.name, name, words=False)]

    def _assigned_in(self, function: Function) -> Mapping[str, list[ast.expr]]:
        """Return what a function assigns to each name; `case str() as name` assigns the subject."""
        if function not in self._assignments:
            found: dict[str, list[ast.expr]] = {}
            for inner in ast.walk(function):
                for target, value in _assigned(inner):
                    found.setdefault(target, []).append(value)
                if isinstance(inner, ast.Match):
                    for case in inner.cases:
                        for each in ast.walk(case.pattern):
                            if isinstance(each, ast.MatchAs) and each.name:
                                found.setdefault(each.name, []).append(inner.subject)
            self._assignments[function] = found
        return self._assignments[function]

    def _function(self, node: ast.AST | None, module: _Module) -> Function | None:
        while node is not None and not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            node = module.parents.get(node)
        return node

    def _arguments(self, called: Function, name: str, seen: frozenset[object]) -> list[_Piece]:
        """Return the texts that the calls of a function give to one of its parameters."""
        found: list[_Piece] = []
        names = [each.arg for each in [*called.args.posonlyargs, *called.args.args]]
        names = names[1:] if names[:1] in (["self"], ["cls"]) else names
        for other, call in self._calls.get(called, ()):
            given = dict(zip(names, call.args, strict=False))
            given |= {each.arg: each.value for each in call.keywords if each.arg}
            if name in given:
                found += self.pieces(given[name], other, seen)
        return found

    def _callees(self, function: ast.expr, module: _Module) -> Iterator[tuple[_Module, Function]]:
        """Yield the functions of the package that a call may mean: by name, a method in its own module only."""
        match function:
            case ast.Name(id=name) if name in module.imports:
                origin = self._imported(name, module)
                if origin is not None:
                    yield from self._named(origin[1], origin[0])
            case ast.Name(id=name):
                yield from self._named(name, module)
            case ast.Attribute(value=ast.Name(id="self" | "cls"), attr=name):
                yield from ((module, each) for each in module.functions.get(name, ()))
            case _:
                pass

    def _named(self, name: str, module: _Module) -> Iterator[tuple[_Module, Function]]:
        yield from ((module, each) for each in module.functions.get(name, ()))
        if name in module.classes:
            for each in module.classes[name].body:
                if isinstance(each, ast.FunctionDef) and each.name == "__init__":
                    yield module, each

    def _call(self, call: ast.Call, module: _Module, seen: frozenset[object]) -> list[_Piece]:
        match call:
            case ast.Call(func=ast.Attribute(value=ast.Constant(), attr="join"), args=[joined]):
                return self.pieces(joined, module, seen)
            case ast.Call(func=ast.Attribute(value=value, attr="get"), args=[_, *default]):
                return [
                    *self._subscript(value, ast.Constant(value=None), module, seen),
                    *self._all(default, module, seen),
                ]
            case ast.Call(func=ast.Attribute(value=ast.Name(id="dict"), attr="fromkeys"), args=[_, value]):
                return self.pieces(value, module, seen)
            case ast.Call(func=ast.Name(id="tuple" | "list" | "str" | "sorted" | "next" | "redact"), args=values):
                return self._all(values, module, seen)
            case _:
                pass
        found: list[_Piece] = []
        known = False
        for origin, function in self._callees(call.func, module):
            known = True
            for inner in ast.walk(function):
                if isinstance(inner, ast.Return) and inner.value is not None:
                    found += self.pieces(inner.value, origin, seen)
        return found if known else [_Piece(module.name, ast.unparse(call), words=False)]
