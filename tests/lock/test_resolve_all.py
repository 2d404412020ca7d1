"""What resolving returns for each environment: a lock, a hint that a build is needed, or an error."""

from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest

from reconciler.engines.engine import Engine
from reconciler.errors import BuildNeededError, IndexSlowError, NotTriedError, ResolveError
from reconciler.lock import resolve_all as module
from reconciler.lock.resolve import ResolveOptions
from reconciler.lock.resolve_all import resolve_all
from reconciler.manifest.desired import DesiredEnvironment, DesiredState
from tests.lock.test_select import INTERPRETER
from tests.lock.workbench import requiring

DESIRED = DesiredState(project="acme", file=Path("envs.yaml"), root=Path("envs"), locks=Path("locks"), digest="")


def resolved(monkeypatch: pytest.MonkeyPatch, error: Exception, *environments: DesiredEnvironment, build: bool) -> Any:
    """Return what is found for each environment if every resolution fails with `error`."""

    def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(module, "resolve_lock", fail)
    names = {each.name: INTERPRETER for each in environments}
    engine = cast("Engine", object())
    options = ResolveOptions(build=build, offline=False, upgrade=False)
    return resolve_all([*environments], DESIRED, names, engine, options, dict.fromkeys(names, None))


@pytest.mark.parametrize(
    ("builds", "cure"),
    [("allow", "run `envsync lock web`"), ("deny", "allow it in `builds`, or require a version with a wheel")],
)
def test_a_needed_build_is_an_error_or_a_hint(monkeypatch: pytest.MonkeyPatch, builds: Any, cure: str) -> None:
    error, web = BuildNeededError("x", hint=None), requiring("six", builds=builds)
    assert resolved(monkeypatch, error, web, build=True) == {"web": error}
    hint = f"a source distribution must be built to know its dependencies: {cure}"
    assert resolved(monkeypatch, error, web, build=False) == {"web": hint}


def test_every_error_is_that_of_its_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    error = ResolveError("x", hint=None)
    api = replace(requiring("idna"), name="api")
    assert resolved(monkeypatch, error, requiring("six"), api, build=True) == {"web": error, "api": error}


def test_after_some_that_timed_out_the_others_are_not_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    slow = IndexSlowError("x", hint=None)
    found = resolved(
        monkeypatch, slow, *(replace(requiring(f"a{each}"), name=f"e{each}") for each in range(30)), build=True
    )
    kinds = [type(each) for each in found.values()]
    assert kinds.count(IndexSlowError) >= 4
    [skipped, *_] = [each for each in found.values() if isinstance(each, NotTriedError)]
    assert skipped.message == "not tried, because the indexes did not answer for any environment before it"
    assert skipped.hint == "try again when the indexes answer"
