"""Inverts each comparison and branch of the pure stages, one at a time, and checks that a test fails.

`python -m tests.mutation` runs all mutants; `--only TEXT` runs those whose location contains TEXT. A mutant only exists
in memory: a forked child imports the changed source instead of the module, and runs tests of tests/plan. Each survivor
needs a reason in tests/mutation_survivors.yaml. The run fails for a survivor without a reason, and for a reason without
a survivor. It exits with 2 if the tests fail without a mutant: then a mutant shows nothing.
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

import deepdiff  # noqa: F401 - imported before the forks, so that the children need not import it
import packaging.version  # noqa: F401
import pytest
import yaml

ROOT = Path(__file__).parent.parent
STAGES = ("reconciler/diff", "reconciler/plan")
REASONS = ROOT / "tests" / "mutation_survivors.yaml"
# The tests that run against a mutant. test_completeness.py is not one of them: a code without a case or without words
# fails there, and must not fail here too.
TESTS = ("test_cases.py", "test_values.py", "test_integrity.py")
# Modules that decide nothing about a change: a plan as JSON, in a file, checked before apply, and filtered for display.
OTHER_TESTS = {
    "reconciler/plan/document.py": ("test_saved.py",),
    "reconciler/plan/plan_file.py": ("test_saved.py",),
    "reconciler/plan/stale.py": ("test_saved.py",),
    "reconciler/plan/origin_filter.py": ("test_origin_filter.py",),
}
CHILDREN = os.cpu_count() or 1
SECONDS, BYTES = 60, 2 << 30  # limits of time and memory for a mutant that does not end

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutant:
    """One change of one module: its location, the index of the node in the walk of the tree, and the change."""

    location: str
    path: Path
    index: int
    change: Callable[[ast.AST], None]

    @property
    def module(self) -> str:
        return ".".join(self.path.relative_to(ROOT).with_suffix("").parts)

    @property
    def tests(self) -> list[str]:
        names = OTHER_TESTS.get(str(self.path.relative_to(ROOT)), TESTS)
        return [str(ROOT / "tests" / "plan" / name) for name in names]

    @property
    def source(self) -> str:
        tree = ast.parse(self.path.read_text(encoding="utf-8"))
        self.change(next(each for place, each in enumerate(ast.walk(tree)) if place == self.index))
        return ast.unparse(ast.fix_missing_locations(tree))


def mutants(path: Path) -> Iterator[Mutant]:
    """Yield every mutant of one file."""
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
    """Yield every node with the name of the function or class that contains it."""
    for child in ast.iter_child_nodes(node):
        inner = f"{owner}.{child.name}".lstrip(".") if isinstance(child, ast.FunctionDef | ast.ClassDef) else owner
        yield child, inner
        yield from _owners(child, inner)


def _text(node: ast.AST) -> str:
    """Return a node as one short line; a statement or a match as its head only."""
    if isinstance(node, ast.If | ast.While):
        return f"{type(node).__name__.lower()} {ast.unparse(node.test)}"
    if isinstance(node, ast.Match):
        return f"match {ast.unparse(node.subject)}: {' / '.join(ast.unparse(each.pattern) for each in node.cases)}"
    return " ".join(ast.unparse(node).split())


def _changes(node: ast.AST) -> Iterator[Callable[[ast.AST], None]]:
    """Yield the possible changes of a node, each as a function that changes a copy of it."""
    match node:
        case ast.Compare(ops=ops):
            for place, operator in enumerate(ops):
                yield from (_setter(f"ops.{place}", inverted()) for inverted in INVERTED[type(operator)])
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
        *parents, last = where.split(".")
        for part in parents:
            target = getattr(target, part)
        if isinstance(target, list):
            target[int(last)] = value
        else:
            setattr(target, last, value)

    return change


def _dropper(where: str, place: int) -> Callable[[ast.AST], None]:
    return lambda node: getattr(node, where).pop(place)


class Changed(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Imports one module from the source of a mutant, and all other modules normally."""

    def __init__(self, mutant: Mutant) -> None:
        self.mutant = mutant

    def find_spec(self, fullname: str, *_: object) -> importlib.machinery.ModuleSpec | None:
        if fullname != self.mutant.module:
            return None
        return importlib.util.spec_from_file_location(fullname, self.mutant.path, loader=self)

    def exec_module(self, module: types.ModuleType) -> None:
        code = compile(self.mutant.source, str(self.mutant.path), "exec")
        exec(code, module.__dict__)  # noqa: S102


def survives(mutant: Mutant, cases: Sequence[dict[str, object]]) -> bool:
    """Return whether all tests pass with the mutant; only for a forked child, whose modules it replaces."""
    sys.meta_path.insert(0, Changed(mutant))
    for name in [name for name in sys.modules if name.startswith(("reconciler.", "tests.plan"))]:
        del sys.modules[name]
    from tests.plan.build import world
    from tests.plan.shown import shown, shown_result

    for case in cases:  # the same as test_cases without pytest, because most mutants fail here
        plan = world(case).plan()
        if shown(plan) != case["plan"] or shown_result(plan) != case.get("result", shown_result(plan)):
            return False
    return pytest.main(["-x", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", *mutant.tests]) == 0


def start(mutant: Mutant, cases: Sequence[dict[str, object]]) -> int:
    """Fork a child that runs the tests with the mutant and exits with 0 if it survives; return its process id."""
    child = os.fork()
    if child:
        return child
    status = 1
    with contextlib.suppress(BaseException):  # a mutant that raises an exception is killed
        signal.alarm(SECONDS)
        resource.setrlimit(resource.RLIMIT_AS, (BYTES, BYTES))
        silent = os.open(os.devnull, os.O_WRONLY)
        os.dup2(silent, 1)
        os.dup2(silent, 2)
        status = 0 if survives(mutant, cases) else 1
    os._exit(status)


def survivors(chosen: Sequence[Mutant]) -> list[Mutant]:
    """Test every mutant, as many at a time as there are processors; print each result, return the survivors."""
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
    """Return every mutant of the pure stages; equal locations are distinguished by a number."""
    found: dict[str, Mutant] = {}
    for stage in STAGES:
        for path in sorted((ROOT / stage).glob("*.py")):
            for mutant in mutants(path):
                number, location = 1, mutant.location
                while location in found:
                    number += 1
                    location = f"{mutant.location} [{number}]"
                found[location] = replace(mutant, location=location)
    return list(found.values())


def main() -> int:
    """Run the chosen mutants; return 1 if a survivor has no reason, or a reason no survivor; 2 if tests fail anyway."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutation", description="Mutation run of the pure stages.")
    parser.add_argument("--only", action="append", metavar="TEXT", help="run only mutants whose location contains TEXT")
    parser.add_argument("--list", action="store_true", help="print the locations and run nothing")
    options = parser.parse_args()
    wanted: list[str] = options.only or [""]
    chosen = [each for each in all_mutants() if any(text in each.location for text in wanted)]
    if options.list:
        print("\n".join(each.location for each in chosen))
        return 0
    reasons: dict[str, str] = yaml.safe_load(REASONS.read_text(encoding="utf-8")) or {}
    if not chosen:
        print("no mutant matches")
        return 1
    unchanged = {tuple(each.tests): replace(each, location="no change", change=lambda _: None) for each in chosen}
    if len(survivors(list(unchanged.values()))) < len(unchanged):
        print("the tests fail without a mutant: fix them first")
        return 2
    alive = {each.location for each in survivors(chosen)}
    unexplained = sorted(alive - reasons.keys())
    needless = sorted(each for each in reasons if any(text in each for text in wanted) and each not in alive)
    for location in unexplained:
        print("survivor without a reason:", location)
    for location in needless:
        print("reason without a survivor:", location)
    killed = len(chosen) - len(alive)
    print(f"{len(chosen)} mutants: {killed} killed, {len(alive)} survived, {len(unexplained)} unexplained")
    return 1 if unexplained or needless else 0


if __name__ == "__main__":
    sys.exit(main())
