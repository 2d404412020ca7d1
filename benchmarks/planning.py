"""Operations that only look: plan and check with nothing to do, first, cached and disk-cold; one change; verify."""

from collections.abc import Callable

from benchmarks import peers
from benchmarks.environments import Fleet, Ground, drop_caches, restore_caches, sample
from benchmarks.kernel import drop_all, may_drop
from benchmarks.operation import Aim, Competitor, Memory, Operation
from benchmarks.starting import BARE, bare

METADATA, FILES = "plan, metadata", "plan, files"
SYNC, SYNC_TWO = "uv pip sync --dry-run", "uv pip sync --dry-run, two at a time"
FREEZE = "uv pip freeze"

# How many environments a loop of a tool goes over before it is sampled, for time's sake.
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


def nothing_to_do(ground: Ground, kind: str, count: int) -> Operation:
    """Second and later plans and checks of equal environments, hard-linked, beside loops of the others."""
    fleet = ground.fleet(kind, count)
    name = f"plan-{kind}-{count}"
    return _nothing_to_do(ground, fleet, kind, name, f"Nothing to do: {_of(ground, count, kind)}", distinct=1)


def distinct_copies(ground: Ground, count: int, distinct: int) -> Operation:
    """The same where nothing is shared: so many distinct locks, and copies of every file."""
    fleet = ground.fleet("medium", count, distinct, {"link_mode": "copy"})
    title = f"Nothing to do: {_of(ground, count, 'medium')}, {distinct} distinct locks, copy mode"
    return _nothing_to_do(ground, fleet, "medium", f"plan-copies-{count}", title, distinct=distinct)


def _nothing_to_do(ground: Ground, fleet: Fleet, kind: str, name: str, title: str, *, distinct: int) -> Operation:
    count = len(fleet.names)
    return Operation(
        name=name,
        title=title,
        competitors=(
            _plan(ground, fleet, "metadata"),
            _plan(ground, fleet, "files"),
            _check(ground, fleet, "metadata"),
            _check(ground, fleet, "files"),
            *_loops(ground, fleet, kind),
            *(_alone(ground, kind) if count == 1 and distinct == 1 else ()),
        ),
        aims=_AIMS.get((kind, count, distinct), ()),
        environments=count if distinct == 1 else 0,
        packages=len(ground.sets.sets[kind]),
        files=fleet.files(),
    )


def first(ground: Ground, count: int) -> Operation:
    """The first plan after an apply, and one without any of envsync's caches; no other tool has written there."""
    fleet = ground.fleet("medium", count, use="-first")
    uv = peers.Uv(ground, ground.warm_cache("medium"))
    names, times = sample(fleet.names, _MOST)
    after, without = "first plan after an apply", "plan without caches"
    ours = [
        _plan(ground, fleet, depth, before=lambda _, put=put: put(fleet), name=f"{what}, {depth}")  # type: ignore[misc]
        for what, put in ((after, restore_caches), (without, drop_caches))
        for depth in ("metadata", "files")
    ]
    freeze = Competitor(name=FREEZE, commands=lambda _: [uv.freeze(fleet.python(name)) for name in names], times=times)
    return Operation(
        name=f"first-{count}",
        title=f"First observation: {_of(ground, count, 'medium')}",
        competitors=(*ours, freeze),
        aims=tuple(Aim(ours=f"{what}, metadata", theirs=FREEZE, most=1 / 12) for what in (after, without))
        if count == 100
        else (),
    )


def cold(ground: Ground, count: int) -> Operation | None:
    """Plans after the system's caches were dropped; None where that is not allowed (it takes root, on Linux)."""
    if not may_drop():
        return None
    fleet = ground.fleet("medium", count)
    uv = peers.Uv(ground, ground.warm_cache("medium"))

    return Operation(
        name=f"cold-{count}",
        title=f"Nothing to do, nothing in memory: {_of(ground, count, 'medium')}",
        competitors=(
            _plan(ground, fleet, "metadata", before=drop_all),
            _plan(ground, fleet, "files", before=drop_all),
            Competitor(name=SYNC, commands=lambda _: peers.checks(uv, fleet, fleet.names), before=drop_all),
        ),
    )


def one_change(ground: Ground, count: int) -> Operation:
    """A plan that finds one package of one environment pending."""
    fleet = ground.fleet("medium", count)
    uv = peers.Uv(ground, ground.warm_cache("medium"))
    first_name, *rest = fleet.names
    manifest = fleet.directory / "changed.yaml"
    members = ground.members("medium", count) | {first_name: ground.sets.changed("medium")}
    ground.write_manifest(manifest, members, locks="locks-changed")
    ground.do(ground.envsync("lock", "-f", manifest, "--offline"))
    changed = peers.write_requirements(fleet.directory / "changed.txt", ground.sets.changed("medium"))
    package = ground.sets.change.partition("==")[0]
    names, times = sample(rest, _MOST)

    def plan(depth: str) -> Competitor:
        command = ground.envsync("plan", "-f", manifest, "--depth", depth, "--detailed-exitcode", says=package, code=2)
        return Competitor(name=f"plan, {depth}", commands=lambda _: [command])

    return Operation(
        name=f"change-{count}",
        title=f"Plan with one change: {_of(ground, count, 'medium')}",
        competitors=(
            plan("metadata"),
            plan("files"),
            Competitor(
                name=SYNC,
                commands=lambda _: [
                    uv.one_change(fleet.python(first_name), changed),
                    *peers.checks(uv, fleet, names),
                ],
                times=times,
            ),
        ),
    )


def verify(ground: Ground, count: int) -> Operation:
    """`envsync verify`, which reads and hashes every file; no other tool does."""
    fleet = ground.fleet("medium", count)

    def at(depth: str) -> Competitor:
        command = ground.envsync("verify", "-f", fleet.manifest, "--depth", depth)
        return Competitor(name=f"verify, {depth}", commands=lambda _: [command])

    return Operation(
        name=f"verify-{count}",
        title=f"Verify: {_of(ground, count, 'medium')}",
        competitors=(at("hashes"), at("files")),
    )


def _plan(
    ground: Ground, fleet: Fleet, depth: str, *, before: Callable[[int], None] | None = None, name: str = ""
) -> Competitor:
    command = ground.envsync("plan", "-f", fleet.manifest, "--depth", depth, says="No changes.")
    return Competitor(name=name or f"plan, {depth}", commands=lambda _: [command], before=before or (lambda _: None))


def _check(ground: Ground, fleet: Fleet, depth: str) -> Competitor:
    command = ground.envsync("check", "-f", fleet.manifest, "--depth", depth, says="No drift.")
    return Competitor(name=f"check, {depth}", commands=lambda _: [command])


def _loops(ground: Ground, fleet: Fleet, kind: str) -> list[Competitor]:
    """Return loops of other tools over every environment, or over a sample of them."""
    uv = peers.Uv(ground, ground.warm_cache(kind))
    names, times = sample(fleet.names, _MOST)
    sync = peers.checks(uv, fleet, names)
    freeze = [uv.freeze(fleet.python(name)) for name in names]
    found = [Competitor(name=SYNC, commands=lambda _: sync, times=times)]
    if len(names) > 1:
        found.append(Competitor(name=SYNC_TWO, commands=lambda _: sync, at_once=2, times=times))
    found.append(Competitor(name=FREEZE, commands=lambda _: freeze, times=times))
    pip = ground.tools.pip
    if pip is not None:
        few, stands_for = sample(fleet.names, _MOST_SLOW)
        slow = [peers.pip_freeze(pip, fleet.python(name)) for name in few]
        found.append(Competitor(name="pip freeze", commands=lambda _: slow, times=stands_for))
    return found


def _alone(ground: Ground, kind: str) -> list[Competitor]:
    """Return what is held against a single environment: bare Python, and the tools that keep one of their own."""
    kept = peers.others(ground, kind)
    found = [bare(ground)]
    for name, command in (("pip-sync --dry-run", kept.pip_sync), ("venvs converge", kept.venvs)):
        if command is not None:
            found.append(Competitor(name=name, commands=lambda _, command=command: [command]))  # type: ignore[misc]
    return found


def _of(ground: Ground, count: int, kind: str) -> str:
    return f"{count:,} environment{'' if count == 1 else 's'} of {len(ground.sets.sets[kind])} packages"
