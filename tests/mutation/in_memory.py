"""Tests mutants of the pure stages in memory: a forked child imports the changed source instead of the module.

It runs tests of tests/plan, so a mutant takes a fraction of a second.
"""

import ast
import contextlib
import importlib.abc
import importlib.machinery
import importlib.util
import os
import resource
import signal
import sys
import types
from collections.abc import Sequence
from dataclasses import replace

import deepdiff  # noqa: F401 - imported before the forks, so that the children need not import it
import packaging.version  # noqa: F401
import pytest
import yaml

from tests.mutation.mutants import ROOT, Change, Mutant

STAGES = ("reconciler/diff", "reconciler/plan")
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


def survivors_in_memory(chosen: Sequence[Mutant]) -> list[Mutant]:
    """Test every mutant, as many at a time as there are processors; print each result, return the survivors."""
    paths = sorted((ROOT / "tests" / "cases" / "plan").glob("*.yaml"))
    cases = [yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader) for path in paths]
    waiting, running, alive = list(reversed(chosen)), dict[int, Mutant](), []
    while waiting or running:
        while waiting and len(running) < CHILDREN:
            mutant = waiting.pop()
            running[_start(mutant, cases)] = mutant
        child, status = os.wait()
        mutant = running.pop(child)
        if status == 0:
            alive.append(mutant)
        print("survived" if status == 0 else "killed", mutant.location, flush=True)
    return alive


def tests_pass_unchanged(chosen: Sequence[Mutant]) -> bool:
    """Return whether the tests of some mutants pass without a mutant."""
    nothing = Change(make=lambda _: None, node=ast.Pass(), lines=range(0))
    unchanged = {tuple(_tests(each)): replace(each, location="no change", change=nothing) for each in chosen}
    return len(survivors_in_memory(list(unchanged.values()))) == len(unchanged)


class _Changed(importlib.abc.MetaPathFinder, importlib.abc.Loader):
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


def _tests(mutant: Mutant) -> list[str]:
    return [str(ROOT / "tests" / "plan" / name) for name in OTHER_TESTS.get(mutant.file, TESTS)]


def _survives(mutant: Mutant, cases: Sequence[dict[str, object]]) -> bool:
    """Return whether all tests pass with the mutant; only for a forked child, whose modules it replaces."""
    sys.meta_path.insert(0, _Changed(mutant))
    for name in [name for name in sys.modules if name.startswith(("reconciler.", "tests.plan"))]:
        del sys.modules[name]
    from tests.plan.build import world
    from tests.plan.shown import shown, shown_result

    for case in cases:  # the same as test_cases without pytest, because most mutants fail here
        plan = world(case).plan()
        if shown(plan) != case["plan"] or shown_result(plan) != case.get("result", shown_result(plan)):
            return False
    return pytest.main(["-x", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", *_tests(mutant)]) == 0


def _start(mutant: Mutant, cases: Sequence[dict[str, object]]) -> int:
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
        status = 0 if _survives(mutant, cases) else 1
    os._exit(status)
