"""Operations that only read: plan and check with nothing to do (warm, first, disk-cold), one change, and verify."""

from collections.abc import Callable

from benchmarks import peers
from benchmarks.environments import Fleet, Setup, drop_caches, restore_caches, sample
from benchmarks.kernel import can_drop, drop_all
from benchmarks.operation import Aim, Competitor, Memory, Operation
from benchmarks.starting import BARE, bare_python

METADATA, FILES = "plan, metadata", "plan, files"
SYNC, SYNC_TWO = "uv pip sync --dry-run", "uv pip sync --dry-run, two at a time"
FREEZE = "uv pip freeze"

# The most environments that a loop of another tool covers; beyond, it is sampled to save time.
_MOST = 100
_MOST_SLOW = 10

_AIMS: dict[tuple[str, int, int], tuple[Aim | Memory, ...]] = {  # by set, environments, distinct sets
    ("medium", 1, 1): (
        Aim(ours=METADATA, theirs=SYNC, most=0.9),
        Aim(ours=FILES, theirs=SYNC, most=2),
        Aim(ours=METADATA, theirs=BARE, most=4),
    ),
    ("medium", 100, 1): (Aim(ours=METADATA, theirs=SYNC, most=1 / 35), Aim(ours=FILES, theirs=SYNC, most=1 / 8)),
    ("medium", 1000, 1): (Aim(ours=METADATA, theirs=SYNC, most=1 / 75), Memory(ours=METADATA, under=50)),
    ("medium", 100, 20): (Aim(ours=FILES, theirs=SYNC, most=1),),
}


def nothing_to_do(setup: Setup, kind: str, count: int) -> Operation:
    """Second and later plans and checks of equal, hard-linked environments, and loops of the other tools."""
    fleet = setup.fleet(kind, count)
    name = f"plan-{kind}-{count}"
    return _nothing_to_do(setup, fleet, kind, name, f"Nothing to do: {_title(setup, count, kind)}", distinct=1)


def distinct_copies(setup: Setup, count: int, distinct: int) -> Operation:
    """The same if nothing is shared: `distinct` locks, and copies of every file."""
    fleet = setup.fleet("medium", count, distinct, {"link_mode": "copy"})
    title = f"Nothing to do: {_title(setup, count, 'medium')}, {distinct} distinct locks, copy mode"
    return _nothing_to_do(setup, fleet, "medium", f"plan-copies-{count}", title, distinct=distinct)


def _nothing_to_do(setup: Setup, fleet: Fleet, kind: str, name: str, title: str, *, distinct: int) -> Operation:
    count = len(fleet.names)
    return Operation(
        name=name,
        title=title,
        competitors=(
            _plan(setup, fleet, "metadata"),
            _plan(setup, fleet, "files"),
            _check(setup, fleet, "metadata"),
            _check(setup, fleet, "files"),
            *_loops(setup, fleet, kind),
            *(_single_environment_tools(setup, kind) if count == 1 and distinct == 1 else ()),
        ),
        aims=_AIMS.get((kind, count, distinct), ()),
        environments=count if distinct == 1 else 0,
        packages=len(setup.sets.sets[kind]),
        files=fleet.files(),
    )


def first(setup: Setup, count: int) -> Operation:
    """The first plan after an apply, and a plan without caches; no other tool has written to the environments."""
    fleet = setup.fleet("medium", count, use="-first")
    uv = peers.Uv(setup, setup.warm_cache("medium"))
    names, times = sample(fleet.names, _MOST)
    after, without = "first plan after an apply", "plan without caches"
    ours = [
        _plan(setup, fleet, depth, before=lambda _, put=put: put(fleet), name=f"{what}, {depth}")  # type: ignore[misc]
        for what, put in ((after, restore_caches), (without, drop_caches))
        for depth in ("metadata", "files")
    ]
    freeze = Competitor(name=FREEZE, commands=lambda _: [uv.freeze(fleet.python(name)) for name in names], times=times)
    return Operation(
        name=f"first-{count}",
        title=f"First observation: {_title(setup, count, 'medium')}",
        competitors=(*ours, freeze),
        aims=tuple(Aim(ours=f"{what}, metadata", theirs=FREEZE, most=1 / 12) for what in (after, without))
        if count == 100
        else (),
    )


def cold(setup: Setup, count: int) -> Operation | None:
    """Plans after the kernel's caches were dropped. Return None if that is not allowed (only root on Linux can)."""
    if not can_drop():
        return None
    fleet = setup.fleet("medium", count)
    uv = peers.Uv(setup, setup.warm_cache("medium"))

    return Operation(
        name=f"cold-{count}",
        title=f"Nothing to do, nothing in memory: {_title(setup, count, 'medium')}",
        competitors=(
            _plan(setup, fleet, "metadata", before=drop_all),
            _plan(setup, fleet, "files", before=drop_all),
            Competitor(name=SYNC, commands=lambda _: peers.checks(uv, fleet, fleet.names), before=drop_all),
        ),
    )


def one_change(setup: Setup, count: int) -> Operation:
    """A plan that finds one pending package in one environment."""
    fleet = setup.fleet("medium", count)
    uv = peers.Uv(setup, setup.warm_cache("medium"))
    changed_name, *rest = fleet.names
    manifest = fleet.directory / "changed.yaml"
    members = setup.members("medium", count) | {changed_name: setup.sets.changed("medium")}
    setup.write_manifest(manifest, members, locks="locks-changed")
    setup.do(setup.envsync("lock", "-f", manifest, "--offline"))
    changed = peers.write_requirements(fleet.directory / "changed.txt", setup.sets.changed("medium"))
    package = setup.sets.change.partition("==")[0]
    names, times = sample(rest, _MOST)

    def plan(depth: str) -> Competitor:
        command = setup.envsync(
            "plan", "-f", manifest, "--depth", depth, "--detailed-exitcode", contains=package, code=2
        )
        return Competitor(name=f"plan, {depth}", commands=lambda _: [command])

    return Operation(
        name=f"change-{count}",
        title=f"Plan with one change: {_title(setup, count, 'medium')}",
        competitors=(
            plan("metadata"),
            plan("files"),
            Competitor(
                name=SYNC,
                commands=lambda _: [
                    uv.one_change(fleet.python(changed_name), changed),
                    *peers.checks(uv, fleet, names),
                ],
                times=times,
            ),
        ),
    )


def verify(setup: Setup, count: int) -> Operation:
    """`envsync verify`, which reads and hashes every file. No other tool does that."""
    fleet = setup.fleet("medium", count)

    def at(depth: str) -> Competitor:
        command = setup.envsync("verify", "-f", fleet.manifest, "--depth", depth)
        return Competitor(name=f"verify, {depth}", commands=lambda _: [command])

    return Operation(
        name=f"verify-{count}",
        title=f"Verify: {_title(setup, count, 'medium')}",
        competitors=(at("hashes"), at("files")),
    )


def _plan(
    setup: Setup, fleet: Fleet, depth: str, *, before: Callable[[int], None] | None = None, name: str = ""
) -> Competitor:
    command = setup.envsync("plan", "-f", fleet.manifest, "--depth", depth, contains="No changes.")
    return Competitor(name=name or f"plan, {depth}", commands=lambda _: [command], before=before or (lambda _: None))


def _check(setup: Setup, fleet: Fleet, depth: str) -> Competitor:
    command = setup.envsync("check", "-f", fleet.manifest, "--depth", depth, contains="No drift.")
    return Competitor(name=f"check, {depth}", commands=lambda _: [command])


def _loops(setup: Setup, fleet: Fleet, kind: str) -> list[Competitor]:
    """Return the loops of the other tools over every environment, or over a sample."""
    uv = peers.Uv(setup, setup.warm_cache(kind))
    names, times = sample(fleet.names, _MOST)
    sync = peers.checks(uv, fleet, names)
    freeze = [uv.freeze(fleet.python(name)) for name in names]
    found = [Competitor(name=SYNC, commands=lambda _: sync, times=times)]
    if len(names) > 1:
        found.append(Competitor(name=SYNC_TWO, commands=lambda _: sync, at_once=2, times=times))
    found.append(Competitor(name=FREEZE, commands=lambda _: freeze, times=times))
    pip = setup.tools.pip
    if pip is not None:
        few, stands_for = sample(fleet.names, _MOST_SLOW)
        slow = [peers.pip_freeze(pip, fleet.python(name)) for name in few]
        found.append(Competitor(name="pip freeze", commands=lambda _: slow, times=stands_for))
    return found


def _single_environment_tools(setup: Setup, kind: str) -> list[Competitor]:
    """Return the competitors for a single environment: bare Python, and the tools that manage one of their own."""
    kept = peers.others(setup, kind)
    found = [bare_python(setup)]
    for name, command in (("pip-sync --dry-run", kept.pip_sync), ("venvs converge", kept.venvs)):
        if command is not None:
            found.append(Competitor(name=name, commands=lambda _, command=command: [command]))  # type: ignore[misc]
    return found


def _title(setup: Setup, count: int, kind: str) -> str:
    return f"{count:,} environment{'' if count == 1 else 's'} of {len(setup.sets.sets[kind])} packages"
