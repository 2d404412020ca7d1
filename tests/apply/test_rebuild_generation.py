"""What a rebuild of a generation from its lock records: as the old seal, except for what the new build is."""

from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from reconciler.apply.rebuild_generation import (
    NotRebuildableError,
    Rebuild,
    RebuildTools,
    _refuse_other_packages,
    prepare_rebuild,
)
from reconciler.errors import InterpreterError, RefusedInterpreterError
from reconciler.interpreters.model import Interpreter
from reconciler.lock.model import ArchiveFile, IndexFile, LockedPackage, Source, SourceDirectory
from reconciler.manifest.desired import BuildEnv, DesiredEnvironment, ImportProbe
from reconciler.state.inode_hashes import InodeHashes
from reconciler.state.inventory_file import load_inventory
from reconciler.state.overlap import Overlap
from reconciler.state.seal import Seal
from tests.apply.bench import INDEX, LOCK, PYTHON, TOOL, Bench
from tests.apply.bench import bench as bench

OVERLAP = Overlap(packages=("other", "tool"), installed="tool", equal=False, files=1, paths=("tool.py",))


def tools_for(bench: Bench, **more: Any) -> RebuildTools:
    plain = RebuildTools(
        locks=bench.state.layout.root / "locks",
        indexes=(INDEX,),
        declared=lambda _name: None,
        interpreter=lambda _path, _request: PYTHON,
        engine=lambda _descriptor: nullcontext(bench.engine),
        ambient={},
    )
    return replace(plain, **more)


def rebuilt(bench: Bench, seal: Seal) -> Seal:
    """Rebuild a generation after its record changed; return the seal of the new one."""
    target = bench.run().plan.target
    assert target is not None
    tools = tools_for(bench)
    base = replace(
        seal.applied,
        installed={"hooked": "1.0"},
        accepted=frozenset({"finding"}),
        overlaps=(OVERLAP,),
        seal="sha256:old",
        hook_paths=frozenset({"written"}),
        hook_packages=frozenset({"hooked"}),
        rolled_back_from=7,
    )
    number = Rebuild(state=bench.state, seal=seal, base=base, target=target, tools=tools).run(InodeHashes(), 0)
    found = bench.state.seal("web", number)
    assert found is not None
    return found


def test_a_rebuilt_generation_is_sealed_as_the_old_one_with_what_the_new_build_contains(bench: Bench) -> None:
    bench.applied(env={"A": "a"})
    old = bench.state.seal("web", 1)
    assert old is not None
    new = rebuilt(
        bench, replace(old, created="2026-01-01T00:00:00+00:00", home="/usr/gone/bin", inventory="sha256:old")
    )
    assert new.applied == replace(old.applied, generation=2, rebuilt_from=1)
    assert (new.plan, new.lock, new.home) == (old.plan, old.lock, old.home)
    assert old.created <= new.created
    assert len(new.created) == len(old.created), "to the second"
    generation = bench.state.layout.generation("web", 2)
    assert load_inventory(generation.inventory, digest=new.inventory).names
    assert rebuilt(bench, new).applied.rebuilt_from == 1, "of a rebuilt generation, the first one is named"
    assert bench.state.layout.published_number("web") == 1


def prepared(bench: Bench, **more: Any) -> Rebuild:
    """Prepare the rebuild of generation 1, whose record has newer settings than its seal."""
    seal = bench.state.seal("web", 1)
    assert seal is not None
    base = replace(seal.applied, settings={**seal.applied.settings, "ignore_files": ["*.log"]})
    return prepare_rebuild(bench.state, seal, base, tools_for(bench, **more))


def refusal(bench: Bench, **more: Any) -> str:
    with pytest.raises(NotRebuildableError) as caught:
        prepared(bench, **more)
    return str(caught.value)


def declaring(**settings: Any) -> Callable[[str], DesiredEnvironment]:
    return lambda name: DesiredEnvironment(name=name, python="3.11", **settings)


def test_a_generation_is_built_from_its_own_lock_with_the_packages_of_its_seal(bench: Bench) -> None:
    bench.applied(system_site_packages=True)
    asked: list[tuple[str, str]] = []

    def interpreter(path: str, request: str) -> Interpreter:
        asked.append((path, request))
        return PYTHON

    found = prepared(bench, interpreter=interpreter)
    plain = DesiredEnvironment(name="web", python="3.11.7", system_site_packages=True, ignore_files=("*.log",))
    assert found.target.environment == plain
    assert found.target.packages == found.seal.applied.packages
    assert found.target.lock is not None
    assert found.target.lock.path == bench.state.layout.root / "locks/pylock.web.toml"
    declared = prepared(
        bench, interpreter=interpreter, declared=declaring(link_mode="copy", probes=(ImportProbe(module="tool"),))
    )
    assert declared.target.environment == replace(plain, python="3.11", link_mode="copy")
    assert asked == [(PYTHON.path, ""), (PYTHON.path, "3.11")]


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (InterpreterError("no such file", hint=None), f"its interpreter `{PYTHON.path}` is gone"),
        (
            RefusedInterpreterError("others may change it", hint="", curable=True),
            "its interpreter cannot be used: others may change it",
        ),
    ],
)
def test_without_its_interpreter_it_is_not_rebuilt(error: Exception, message: str, bench: Bench) -> None:
    def fails(*_: str) -> Interpreter:
        raise error

    bench.applied()
    assert refusal(bench, interpreter=fails) == message


@pytest.mark.parametrize(
    ("changed", "now"), [({"version": "3.11.8"}, "cpython 3.11.8"), ({"implementation": "pypy"}, "pypy 3.11.7")]
)
def test_with_another_interpreter_at_the_same_path_it_is_not_rebuilt(
    changed: dict[str, Any], now: str, bench: Bench
) -> None:
    bench.applied()
    other = replace(PYTHON, **changed)
    expected = f"its interpreter `{PYTHON.path}` is now {now}, but was cpython 3.11.7"
    assert refusal(bench, interpreter=lambda *_: other) == expected


def test_with_other_build_variables_it_is_not_rebuilt(bench: Bench) -> None:
    bench.applied(build_env=BuildEnv(variables={"CC": "cc"}))
    unset = BuildEnv(variables={"CC": "cc"}, unset={"TOKEN": "envs.yaml:1:1"})
    assert refusal(bench, declared=declaring(build_env=unset)) == "`TOKEN` is not set in the shell (`build_env`)"
    other = "it was built with other build variables (`build_env`)"
    assert refusal(bench, declared=declaring(build_env=BuildEnv(variables={"CC": "gcc"}))) == other
    assert prepared(bench, declared=declaring(build_env=BuildEnv(variables={"CC": "cc"})))
    assert prepared(bench), "it is not declared any more"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "its `pylock.toml` cannot be read: no such file"),
        (b"\xff", "its `pylock.toml` is damaged"),
        (b"[", "its `pylock.toml` is damaged"),
        (b"packages = 1", "its `pylock.toml` is damaged"),
        (b'lock-version = "1.0"\ncreated-by = "x"\npackages = [1]', "its `pylock.toml` is damaged"),
        (("tool = 1\n" + LOCK + TOOL).encode(), "its `pylock.toml` is damaged"),
        (("tool = {other = 1}\n" + LOCK + TOOL).encode(), "its `pylock.toml` is damaged"),
        ((LOCK + "packages = []\n").encode(), "its `pylock.toml` differs from its seal: `tool`"),
        ((LOCK + TOOL.replace("0" * 64, "1" * 64)).encode(), "its `pylock.toml` differs from its seal: `tool`"),
        (
            (LOCK + TOOL.replace("py3-none-any", "py2-none-any")).encode(),
            "its lock cannot be used: ",
        ),
    ],
)
def test_a_lock_that_was_changed_is_not_used(content: bytes | None, message: str, bench: Bench) -> None:
    bench.applied()
    pylock = bench.state.layout.generation("web", 1).pylock
    pylock.unlink()
    if content is not None:
        pylock.write_bytes(content)
    found = refusal(bench)
    assert found == message or (message.endswith(": ") and found.startswith(message))


def package(name: str, source: Source, version: str | None = "1.0") -> LockedPackage:
    return LockedPackage(name=name, version=version, source=source)


def index(sha256: str = "0") -> IndexFile:
    return IndexFile(index="https://index.example/simple", filename="x.whl", sha256=sha256)


def directory(path: str = "../own", *, editable: bool = False, content: str = "1") -> SourceDirectory:
    return SourceDirectory(path=path, editable=editable, content=content)


def archive(location: str) -> ArchiveFile:
    return ArchiveFile(location=location, sha256="0", subdirectory="")


@pytest.mark.parametrize(
    ("sealed", "found", "message"),
    [
        ([index()], [index()], ""),
        ([index()], [index("1")], "its `pylock.toml` differs from its seal: `a`"),
        ([index()], [], "its `pylock.toml` differs from its seal: `a`"),
        ([], [index()], "its `pylock.toml` differs from its seal: `a`"),
        ([directory()], [directory("/own")], ""),
        ([directory()], [directory(content="2")], "the directory of `a` changed since it was built"),
        ([directory()], [directory(editable=True)], "the directory of `a` changed since it was built"),
        ([directory()], [index()], "its `pylock.toml` differs from its seal: `a`"),
        ([index()], [directory()], "its `pylock.toml` differs from its seal: `a`"),
        ([archive("../a.zip")], [archive("/work/a.zip")], ""),
        ([archive("../a.zip")], [archive("/work/b.zip")], "its `pylock.toml` differs from its seal: `a`"),
        ([archive("https://x/a.zip")], [archive("https://x/a.zip")], ""),
        (
            [archive("https://x/a.zip")],
            [archive("/work/locks/https:/x/a.zip")],
            "its `pylock.toml` differs from its seal: `a`",
        ),
        ([index()] * 4, [index("1")] * 4, "its `pylock.toml` differs from its seal: `a`, `b`, `c` and 1 more"),
        (
            [directory()] * 4,
            [directory(content="2")] * 4,
            "the directory of `a`, `b`, `c` and 1 more changed since it was built",
        ),
    ],
)
def test_only_the_packages_of_the_seal_are_built(sealed: list[Source], found: list[Source], message: str) -> None:
    def refuse() -> None:
        before, now = (
            [package(name, each) for name, each in zip("abcd", listed, strict=False)] for listed in (sealed, found)
        )
        _refuse_other_packages(before, now, Path("/work/locks"))

    if not message:
        refuse()
        return
    with pytest.raises(NotRebuildableError) as caught:
        refuse()
    assert str(caught.value) == message


def test_the_version_of_a_directory_is_not_compared_and_that_of_a_file_is() -> None:
    locks = Path("/work/locks")
    _refuse_other_packages([package("a", directory())], [package("a", directory(), version=None)], locks)
    with pytest.raises(NotRebuildableError):
        _refuse_other_packages([package("a", index())], [package("a", index(), version="2.0")], locks)
