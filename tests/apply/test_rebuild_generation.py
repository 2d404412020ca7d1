"""What a rebuild of a generation from its lock records: as the old seal, except for what the new build is."""

from contextlib import nullcontext
from dataclasses import replace

from reconciler.apply.rebuild_generation import Rebuild, RebuildTools
from reconciler.state.inode_hashes import InodeHashes
from reconciler.state.inventory_file import load_inventory
from reconciler.state.overlap import Overlap
from reconciler.state.seal import Seal
from tests.apply.bench import INDEX, PYTHON, Bench
from tests.apply.bench import bench as bench

OVERLAP = Overlap(packages=("other", "tool"), installed="tool", equal=False, files=1, paths=("tool.py",))


def rebuilt(bench: Bench, seal: Seal) -> Seal:
    """Rebuild a generation after its record changed; return the seal of the new one."""
    target = bench.run().plan.target
    assert target is not None
    tools = RebuildTools(
        locks=bench.state.layout.root / "locks",
        indexes=(INDEX,),
        declared=lambda _name: None,
        interpreter=lambda _path, _request: PYTHON,
        engine=lambda _descriptor: nullcontext(bench.engine),
        ambient={},
    )
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
