"""Turns round every comparison and branch of the pure stages, one at a time, and sees whether a test notices.

`python -m tests.mutation` runs all of it, `--only TEXT` those whose location has TEXT. A mutant lives in memory only: a
forked child imports the changed source in place of the module, and runs tests/plan against it. Every survivor
needs its reason in tests/mutation_survivors.yaml; one without, or a reason without its survivor, fails the run.
"""

import argparse
import ast
import contextlib
import copy
import importlib.abc
import importlib.machinery
import importlib.util
import os
import resource
import signal
import sys
import types
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import deepdiff  # noqa: F401 - imported before the forks, so that no child has to
import packaging.version  # noqa: F401
import pytest
import yaml

ROOT = Path(__file__).parent.parent
STAGES = ("reconciler/diff", "reconciler/plan")
DOCUMENTS = {"outgoing.py"}  # how a plan is written out decides nothing; it has tests of its own
REASONS = ROOT / "tests" / "mutation_survivors.yaml"
TESTS = [str(ROOT / "tests" / "plan" / name) for name in ("test_cases.py", "test_values.py", "test_integrity.py")]
CHILDREN = os.cpu_count() or 1
SECONDS, BYTES = 60, 2 << 30  # what a mutant that never ends may take

TURNED: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutant:
    """One change of one module: where it is, the node by its place in the tree's walk, and what is done to it."""

    location: str
    path: Path
    index: int
    change: Callable[[ast.AST], None]

    @property
    def module(self) -> str:
        return ".".join(self.path.relative_to(ROOT).with_suffix("").parts)

    @property
    def source(self) -> str:
        tree = ast.parse(self.path.read_text(encoding="utf-8"))
        self.change(next(each for place, each in enumerate(ast.walk(tree)) if place == self.index))
        return ast.unparse(ast.fix_missing_locations(tree))


def mutants(path: Path) -> Iterator[Mutant]:
    """Yield every mutant of one file, in the order of its text."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    owners = dict(_owners(tree, ""))
    relative = path.relative_to(ROOT)
    for index, node in enumerate(ast.walk(tree)):
        for change in _changes(node):
            twin = copy.deepcopy(node)
            change(twin)
            location = f"{relative} {owners.get(node, '')}: {_text(node)} => {_text(twin)}"
            yield Mutant(location=location, path=path, index=index, change=change)


def _owners(node: ast.AST, owner: str) -> Iterator[tuple[ast.AST, str]]:
    """Yield every node with the function or class that it stands in."""
    for child in ast.iter_child_nodes(node):
        inner = f"{owner}.{child.name}".lstrip(".") if isinstance(child, ast.FunctionDef | ast.ClassDef) else owner
        yield child, inner
        yield from _owners(child, inner)


def _text(node: ast.AST) -> str:
    """Return a node as one short line: of a statement or a match only its head, of a comprehension its `for`."""
    if isinstance(node, ast.If | ast.While):
        return f"{type(node).__name__.lower()} {ast.unparse(node.test)}"
    if isinstance(node, ast.Match):
        return f"match {ast.unparse(node.subject)}: {' / '.join(ast.unparse(each.pattern) for each in node.cases)}"
    return " ".join(ast.unparse(node).split())


def _changes(node: ast.AST) -> Iterator[Callable[[ast.AST], None]]:
    """Yield what can be turned round at a node, each as a function that does so to a copy of it."""
    match node:
        case ast.Compare(ops=ops):
            for place, operator in enumerate(ops):
                yield from (_setter(f"ops.{place}", turned()) for turned in TURNED[type(operator)])
        case ast.BoolOp(op=operator):
            yield _setter("op", ast.Or() if isinstance(operator, ast.And) else ast.And())
        case ast.If() | ast.IfExp():
            yield from (_setter("test", ast.Constant(value)) for value in (True, False))
        case ast.While():
            yield _setter("test", ast.Constant(value=False))
        case ast.comprehension(ifs=tests):
            for place in range(len(tests)):
                yield from (_setter(f"ifs.{place}", ast.Constant(value)) for value in (True, False))
        case ast.Match(cases=cases) if len(cases) > 1:
            yield from (_dropper("cases", place) for place in range(len(cases)))
        case ast.MatchOr(patterns=patterns):
            yield from (_dropper("patterns", place) for place in range(len(patterns)))
        case ast.Call(func=ast.Name(id="any" | "all" as name)):
            yield _setter("func.id", "all" if name == "any" else "any")
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            yield _setter("operand", ast.UnaryOp(op=ast.Not(), operand=operand))
        case _:
            return


def _setter(where: str, value: object) -> Callable[[ast.AST], None]:
    def change(node: ast.AST) -> None:
        target: object = node
        *way, last = where.split(".")
        for part in way:
            target = getattr(target, part)
        if isinstance(target, list):
            target[int(last)] = value
        else:
            setattr(target, last, value)

    return change


def _dropper(where: str, place: int) -> Callable[[ast.AST], None]:
    return lambda node: getattr(node, where).pop(place)


class Changed(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Imports one module from a mutant's source, and everything else as ever."""

    def __init__(self, mutant: Mutant) -> None:
        self.mutant = mutant

    def find_spec(self, fullname: str, *_: object) -> importlib.machinery.ModuleSpec | None:
        if fullname != self.mutant.module:
            return None
        return importlib.util.spec_from_file_location(fullname, self.mutant.path, loader=self)

    def exec_module(self, module: types.ModuleType) -> None:
        code = compile(self.mutant.source, str(self.mutant.path), "exec")
        exec(code, module.__dict__)  # noqa: S102


def outlives(mutant: Mutant, cases: Sequence[dict[str, object]]) -> bool:
    """Say whether no test notices the mutant; for a forked child, whose modules it replaces."""
    sys.meta_path.insert(0, Changed(mutant))
    for name in [name for name in sys.modules if name.startswith(("reconciler.", "tests.plan"))]:
        del sys.modules[name]
    from tests.plan.build import world
    from tests.plan.shown import shown, shown_result

    for case in cases:  # the same as test_cases, without pytest around it: most mutants end here
        plan = world(case).plan()
        if shown(plan) != case["plan"] or shown_result(plan) != case.get("result", shown_result(plan)):
            return False
    return pytest.main(["-x", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", *TESTS]) == 0


def start(mutant: Mutant, cases: Sequence[dict[str, object]]) -> int:
    """Fork a child that tries the mutant and exits 0 if it survives; return its id."""
    child = os.fork()
    if child:
        return child
    status = 1
    with contextlib.suppress(BaseException):  # whatever a mutant raises: it was noticed
        signal.alarm(SECONDS)
        resource.setrlimit(resource.RLIMIT_AS, (BYTES, BYTES))
        silent = os.open(os.devnull, os.O_WRONLY)
        os.dup2(silent, 1)
        os.dup2(silent, 2)
        status = 0 if outlives(mutant, cases) else 1
    os._exit(status)


def survivors(chosen: Sequence[Mutant]) -> list[Mutant]:
    """Try every mutant, as many at a time as there are processors; print each one's end, return those that survive."""
    paths = sorted((ROOT / "tests" / "cases" / "plan").glob("*.yaml"))
    cases = [yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader) for path in paths]
    waiting, running, alive = list(reversed(chosen)), dict[int, Mutant](), []
    while waiting or running:
        while waiting and len(running) < CHILDREN:
            mutant = waiting.pop()
            running[start(mutant, cases)] = mutant
        child, status = os.wait()
        mutant = running.pop(child)
        if status == 0:
            alive.append(mutant)
        print("survived" if status == 0 else "killed", mutant.location, flush=True)
    return alive


def all_mutants() -> list[Mutant]:
    """Return every mutant of the pure stages; equal locations are told apart by number."""
    found: dict[str, Mutant] = {}
    for stage in STAGES:
        for path in sorted(path for path in (ROOT / stage).glob("*.py") if path.name not in DOCUMENTS):
            for mutant in mutants(path):
                number, location = 1, mutant.location
                while location in found:
                    number += 1
                    location = f"{mutant.location} [{number}]"
                found[location] = replace(mutant, location=location)
    return list(found.values())


def main() -> int:
    """Run what the command line asks for; return 1 where a survivor has no reason, or a reason no survivor."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutation", description="Mutation run of the pure stages.")
    parser.add_argument("--only", action="append", metavar="TEXT", help="only mutants whose location has a TEXT")
    parser.add_argument("--list", action="store_true", help="print the locations, try none")
    options = parser.parse_args()
    wanted: list[str] = options.only or [""]
    chosen = [each for each in all_mutants() if any(text in each.location for text in wanted)]
    if options.list:
        print("\n".join(each.location for each in chosen))
        return 0
    reasons: dict[str, str] = yaml.safe_load(REASONS.read_text(encoding="utf-8")) or {}
    if not chosen:
        print("no such mutant")
        return 1
    sound = [replace(each, location="no change", change=lambda _: None) for each in chosen[:1]]
    if not survivors(sound):
        print("the tests fail without any mutant")
        return 1
    alive = {each.location for each in survivors(chosen)}
    unexplained = sorted(alive - reasons.keys())
    needless = sorted(each for each in reasons if any(text in each for text in wanted) and each not in alive)
    for location in unexplained:
        print("no reason for the survivor:", location)
    for location in needless:
        print("a reason without its survivor:", location)
    killed = len(chosen) - len(alive)
    print(f"{len(chosen)} mutants: {killed} killed, {len(alive)} survived, {len(unexplained)} unexplained")
    return 1 if unexplained or needless else 0


if __name__ == "__main__":
    sys.exit(main())
