"""Operations that build: from nothing, one change, several, bytecode, rollback."""

import json
import os
import shlex
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

from benchmarks import peers
from benchmarks.environments import Fleet, Ground, Pins
from benchmarks.operation import Aim, Competitor, Difference, Operation
from benchmarks.timing import Command

UNKNOWN, KNOWN = "apply, hashes not known", "apply, hashes known"
RAW = "uv venv + uv pip sync"


def step_seconds(outputs: tuple[str, ...], name: str) -> Mapping[str, float]:
    """Return the seconds of each kind of step in an event stream, as `<name>: <step> step`, added up."""
    found: dict[str, float] = {}
    for line in outputs[0].splitlines():
        event = json.loads(line)
        if event["type"] == "step-finished":
            key = f"{name}: {event['step']} step"
            found[key] = found.get(key, 0.0) + event["seconds"]
    return found


def from_nothing(ground: Ground) -> Operation:
    """One environment into a new root, cache warm, offline: with the files' hashes still to take, and known."""
    names = ("e0000", "e0001")
    members = dict.fromkeys(names, ground.sets.sets["medium"])
    place = ground.rounds / "create"

    def root(kind: str, number: int) -> Fleet:
        return Fleet(place / f"{kind}-{number}", names)

    def fresh(kind: str, number: int, *, known: bool) -> None:
        fleet = ground.fresh(root(kind, number).directory, "medium", members)
        if known:  # another environment of the same files was built in this root before
            ground.do(_apply(ground, fleet, "e0000"))
        os.sync()

    def ours(name: str, kind: str, *, known: bool) -> Competitor:
        target = "e0001" if known else "e0000"
        return Competitor(
            name=name,
            before=lambda number: fresh(kind, number, known=known),
            commands=lambda number: [_apply(ground, root(kind, number), target, "--output", "json")],
            read=lambda outputs: step_seconds(outputs, name),
        )

    return Operation(
        name="create",
        title=f"Apply from nothing: 1 environment of {len(members[names[0]])} packages",
        competitors=(
            ours(KNOWN, "known", known=True),
            ours(UNKNOWN, "unknown", known=False),
            _raw(ground, place / "raw", 1, RAW),
            *_flush(ground, place / "flush"),
        ),
        differences=(Difference(name="hashing of files not yet known", whole=UNKNOWN, part=KNOWN),),
        aims=(
            Aim(ours=KNOWN, theirs=RAW, most=1.15, fixed=0.25),
            Aim(ours=f"{KNOWN}: sync step", theirs=f"{KNOWN}: build step", most=0.1),
            *(Aim(ours=each.name, theirs=f"{KNOWN}: build step", most=0.1) for each in _flush(ground, place)),
        ),
    )


def several(ground: Ground, count: int) -> Operation:
    """So many equal environments into a new root, beside uv one after the other and two at a time."""
    members = ground.members("medium", count)
    place = ground.rounds / "several"
    ours = "apply"

    def root(number: int) -> Fleet:
        return Fleet(place / str(number), tuple(members))

    def fresh(number: int) -> None:
        ground.fresh(root(number).directory, "medium", members)

    return Operation(
        name=f"create-{count}",
        title=f"Apply from nothing: {count} environments of {len(members['e0000'])} packages",
        competitors=(
            Competitor(
                name=ours,
                before=fresh,
                commands=lambda number: [_apply(ground, root(number))],
            ),
            _raw(ground, place / "raw", count, RAW),
            _raw(ground, place / "two", count, f"{RAW}, two at a time", at_once=2),
        ),
        aims=(Aim(ours=ours, theirs=RAW, most=0.85),),
    )


def change(ground: Ground) -> Operation:
    """One package of one environment changes: a new generation, beside uv's change in place; with bytecode too."""
    without, compiled = "apply one change", "apply one change, compile_bytecode"
    raw = "uv pip sync in place"
    place = ground.rounds / "change"
    return Operation(
        name="apply-change",
        title=f"Apply one change: 1 environment of {len(ground.sets.sets['medium'])} packages",
        competitors=(
            _alternating(ground, without, place / "plain", {}),
            _alternating(ground, compiled, place / "compiled", {"compile_bytecode": "true"}),
            _in_place(ground, raw, place / "raw"),
            _in_place(ground, f"{raw} --compile-bytecode", place / "raw-compiled", "--compile-bytecode"),
        ),
        aims=(Aim(ours=without, theirs=raw, most=2, fixed=0.25), Aim(ours=compiled, theirs=without, most=1.3)),
    )


def rollback(ground: Ground) -> Operation:
    """The generation before is verified by hash and published; uv makes the change back in place."""
    place = ground.rounds / "rollback"
    fleet, texts = _two_states(ground, place / "ours", {})
    for text in texts:
        fleet.manifest.write_text(text, encoding="utf-8")
        ground.do(_apply(ground, fleet))
    name = fleet.names[0]
    command = ("rollback", "-f", fleet.manifest, name, "--to")
    return Operation(
        name="rollback",
        title=f"Roll back one change: 1 environment of {len(ground.sets.sets['medium'])} packages",
        competitors=(
            Competitor(
                name="rollback",
                commands=lambda number: [ground.envsync(*command, str(1 + number % 2), says="is published")],
            ),
            _in_place(ground, "uv pip sync in place", place / "raw"),
        ),
    )


def _apply(ground: Ground, fleet: Fleet, *arguments: str) -> Command:
    return ground.envsync("apply", "-f", fleet.manifest, "--yes", "--offline", *arguments)


def _alternating(ground: Ground, name: str, place: Path, settings: Mapping[str, str]) -> Competitor:
    """Return envsync going to and fro between a set and its change; every generation is kept."""
    fleet, texts = _two_states(ground, place, settings)
    fleet.manifest.write_text(texts[1], encoding="utf-8")
    ground.do(_apply(ground, fleet))

    def write(number: int) -> None:
        fleet.manifest.write_text(texts[number % 2], encoding="utf-8")
        os.sync()

    return Competitor(name=name, before=write, commands=lambda _: [_apply(ground, fleet)])


def _two_states(ground: Ground, place: Path, settings: Mapping[str, str]) -> tuple[Fleet, tuple[str, str]]:
    """Return a new root, and two texts of its manifest: a set, and its change. Both are locked."""
    states: tuple[Pins, Pins] = (ground.sets.sets["medium"], ground.sets.changed("medium"))
    fleet = ground.fresh(place, "medium", {"e0000": states[0]}, settings)
    texts = []
    for number, pins in enumerate(states):
        ground.write_manifest(fleet.manifest, {"e0000": pins}, settings, locks=f"locks-{number}")
        ground.do(ground.envsync("lock", "-f", fleet.manifest, "--offline"))
        texts.append(fleet.manifest.read_text(encoding="utf-8"))
    return fleet, (texts[0], texts[1])


def _in_place(ground: Ground, name: str, place: Path, *options: str) -> Competitor:
    """Return uv going to and fro between the same two in one environment."""
    uv = peers.Uv(ground, ground.warm_cache("medium"))
    states = [
        peers.write_requirements(place / "base.txt", ground.sets.sets["medium"]),
        peers.write_requirements(place / "changed.txt", ground.sets.changed("medium")),
    ]
    venv = place / "venv"
    ground.do(uv.venv(venv), uv.sync(venv, states[1], *options))
    return Competitor(name=name, commands=lambda number: [uv.sync(venv, states[number % 2], *options)])


def _raw(ground: Ground, place: Path, count: int, name: str, at_once: int = 1) -> Competitor:
    """Return uv building so many new environments, one by one or several at once."""
    uv = peers.Uv(ground, ground.warm_cache("medium"))
    requirements = peers.write_requirements(place / "requirements.txt", ground.sets.sets["medium"])

    def commands(number: int) -> list[Command]:
        venvs = [place / str(number) / str(each) for each in range(count)]
        if at_once == 1:
            return [command for venv in venvs for command in (uv.venv(venv), uv.sync(venv, requirements))]
        return [_one_after_the_other(uv.venv(venv), uv.sync(venv, requirements)) for venv in venvs]

    return Competitor(
        name=name,
        before=lambda _: os.sync(),
        commands=commands,
        at_once=at_once,
    )


def _flush(ground: Ground, place: Path) -> list[Competitor]:
    """Return the flush of one environment that uv just built, alone; nobody where no program does that."""
    program = shutil.which("sync")
    if program is None or sys.platform != "linux":
        return []
    build = _raw(ground, place, 1, RAW)

    def before(number: int) -> None:
        build.before(number)
        ground.do(*build.commands(number))

    command = Command(argv=(program, "--file-system", str(place)))
    return [Competitor(name="the whole flush, alone", before=before, commands=lambda _: [command])]


def _one_after_the_other(first: Command, second: Command) -> Command:
    """Return two commands as one, by a shell: then another pair can run beside them."""
    return Command(argv=("/bin/sh", "-c", f"{shlex.join(first.argv)} && {shlex.join(second.argv)}"), says=second.says)
