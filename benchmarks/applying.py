"""Operations that build: from nothing, several environments, one change, bytecode, rollback."""

import json
import os
import shlex
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

from benchmarks import peers
from benchmarks.environments import Fleet, Pins, Setup
from benchmarks.operation import Aim, Competitor, Difference, Operation
from benchmarks.timing import Command

UNKNOWN, KNOWN = "apply, hashes not known", "apply, hashes known"
RAW = "uv venv + uv pip sync"


def step_seconds(outputs: tuple[str, ...], name: str) -> Mapping[str, float]:
    """Return the total seconds of each kind of step in an event stream, by `<name>: <step> step`."""
    found: dict[str, float] = {}
    for line in outputs[0].splitlines():
        event = json.loads(line)
        if event["type"] == "step-finished":
            key = f"{name}: {event['step']} step"
            found[key] = found.get(key, 0.0) + event["seconds"]
    return found


def from_nothing(setup: Setup) -> Operation:
    """One environment in a new root, with a warm cache, offline: with file hashes that are known and that are not."""
    names = ("e0000", "e0001")
    members = dict.fromkeys(names, setup.sets.sets["medium"])
    place = setup.rounds / "create"

    def root(kind: str, number: int) -> Fleet:
        return Fleet(place / f"{kind}-{number}", names)

    def fresh(kind: str, number: int, *, known: bool) -> None:
        fleet = setup.fresh(root(kind, number).directory, "medium", members)
        if known:  # the root already has an environment with the same files
            setup.do(_apply(setup, fleet, "e0000"))
        os.sync()

    def ours(name: str, kind: str, *, known: bool) -> Competitor:
        target = "e0001" if known else "e0000"
        return Competitor(
            name=name,
            before=lambda number: fresh(kind, number, known=known),
            commands=lambda number: [_apply(setup, root(kind, number), target, "--output", "json")],
            read=lambda outputs: step_seconds(outputs, name),
        )

    return Operation(
        name="create",
        title=f"Apply from nothing: 1 environment of {len(members[names[0]])} packages",
        competitors=(
            ours(KNOWN, "known", known=True),
            ours(UNKNOWN, "unknown", known=False),
            _raw(setup, place / "raw", 1, RAW),
            *_flush(setup, place / "flush"),
        ),
        differences=(Difference(name="hashing of files not yet known", whole=UNKNOWN, part=KNOWN),),
        aims=(
            Aim(ours=KNOWN, theirs=RAW, most=1.15, fixed=0.25),
            Aim(ours=f"{KNOWN}: sync step", theirs=f"{KNOWN}: build step", most=0.1),
            *(Aim(ours=each.name, theirs=f"{KNOWN}: build step", most=0.1) for each in _flush(setup, place)),
        ),
    )


def several(setup: Setup, count: int) -> Operation:
    """`count` equal environments in a new root; uv builds them one after the other, and two at a time."""
    members = setup.members("medium", count)
    place = setup.rounds / "several"
    ours = "apply"

    def root(number: int) -> Fleet:
        return Fleet(place / str(number), tuple(members))

    def fresh(number: int) -> None:
        setup.fresh(root(number).directory, "medium", members)

    return Operation(
        name=f"create-{count}",
        title=f"Apply from nothing: {count} environments of {len(members['e0000'])} packages",
        competitors=(
            Competitor(
                name=ours,
                before=fresh,
                commands=lambda number: [_apply(setup, root(number))],
            ),
            _raw(setup, place / "raw", count, RAW),
            _raw(setup, place / "two", count, f"{RAW}, two at a time", at_once=2),
        ),
        aims=(Aim(ours=ours, theirs=RAW, most=0.85),),
    )


def change(setup: Setup) -> Operation:
    """One package of one environment changes: envsync builds a generation, uv changes in place; also with bytecode."""
    without, compiled = "apply one change", "apply one change, compile_bytecode"
    raw = "uv pip sync in place"
    place = setup.rounds / "change"
    return Operation(
        name="apply-change",
        title=f"Apply one change: 1 environment of {len(setup.sets.sets['medium'])} packages",
        competitors=(
            _alternating(setup, without, place / "plain", {}),
            _alternating(setup, compiled, place / "compiled", {"compile_bytecode": "true"}),
            _in_place(setup, raw, place / "raw"),
            _in_place(setup, f"{raw} --compile-bytecode", place / "raw-compiled", "--compile-bytecode"),
        ),
        aims=(Aim(ours=without, theirs=raw, most=2, fixed=0.25), Aim(ours=compiled, theirs=without, most=1.3)),
    )


def rollback(setup: Setup) -> Operation:
    """envsync verifies the previous generation by hash and publishes it; uv reverts the change in place."""
    place = setup.rounds / "rollback"
    fleet, texts = _two_states(setup, place / "ours", {})
    for text in texts:
        fleet.manifest.write_text(text, encoding="utf-8")
        setup.do(_apply(setup, fleet))
    name = fleet.names[0]
    command = ("rollback", "-f", fleet.manifest, name, "--to")
    return Operation(
        name="rollback",
        title=f"Roll back one change: 1 environment of {len(setup.sets.sets['medium'])} packages",
        competitors=(
            Competitor(
                name="rollback",
                commands=lambda number: [setup.envsync(*command, str(1 + number % 2), contains="is published")],
            ),
            _in_place(setup, "uv pip sync in place", place / "raw"),
        ),
    )


def _apply(setup: Setup, fleet: Fleet, *arguments: str) -> Command:
    return setup.envsync("apply", "-f", fleet.manifest, "--yes", "--offline", *arguments)


def _alternating(setup: Setup, name: str, place: Path, settings: Mapping[str, str]) -> Competitor:
    """Return envsync alternating between a package set and its change; every generation is kept."""
    fleet, texts = _two_states(setup, place, settings)
    fleet.manifest.write_text(texts[1], encoding="utf-8")
    setup.do(_apply(setup, fleet))

    def write(number: int) -> None:
        fleet.manifest.write_text(texts[number % 2], encoding="utf-8")
        os.sync()

    return Competitor(name=name, before=write, commands=lambda _: [_apply(setup, fleet)])


def _two_states(setup: Setup, place: Path, settings: Mapping[str, str]) -> tuple[Fleet, tuple[str, str]]:
    """Return a new root, and two texts of its manifest: a package set and its change. Both are locked."""
    states: tuple[Pins, Pins] = (setup.sets.sets["medium"], setup.sets.changed("medium"))
    fleet = setup.fresh(place, "medium", {"e0000": states[0]}, settings)
    texts = []
    for number, pins in enumerate(states):
        setup.write_manifest(fleet.manifest, {"e0000": pins}, settings, locks=f"locks-{number}")
        setup.do(setup.envsync("lock", "-f", fleet.manifest, "--offline"))
        texts.append(fleet.manifest.read_text(encoding="utf-8"))
    return fleet, (texts[0], texts[1])


def _in_place(setup: Setup, name: str, place: Path, *options: str) -> Competitor:
    """Return uv alternating between the same two package sets in one environment."""
    uv = peers.Uv(setup, setup.warm_cache("medium"))
    states = [
        peers.write_requirements(place / "base.txt", setup.sets.sets["medium"]),
        peers.write_requirements(place / "changed.txt", setup.sets.changed("medium")),
    ]
    venv = place / "venv"
    setup.do(uv.venv(venv), uv.sync(venv, states[1], *options))
    return Competitor(name=name, commands=lambda number: [uv.sync(venv, states[number % 2], *options)])


def _raw(setup: Setup, place: Path, count: int, name: str, at_once: int = 1) -> Competitor:
    """Return uv building `count` new environments, `at_once` at a time."""
    uv = peers.Uv(setup, setup.warm_cache("medium"))
    requirements = peers.write_requirements(place / "requirements.txt", setup.sets.sets["medium"])

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


def _flush(setup: Setup, place: Path) -> list[Competitor]:
    """Return the flush of one environment that uv has just built; empty if this system has no program for it."""
    program = shutil.which("sync")
    if program is None or sys.platform != "linux":
        return []
    build = _raw(setup, place, 1, RAW)

    def before(number: int) -> None:
        build.before(number)
        setup.do(*build.commands(number))

    command = Command(argv=(program, "--file-system", str(place)))
    return [Competitor(name="the whole flush, alone", before=before, commands=lambda _: [command])]


def _one_after_the_other(first: Command, second: Command) -> Command:
    """Return two commands as one shell command, so that two such pairs can run in parallel."""
    return Command(
        argv=("/bin/sh", "-c", f"{shlex.join(first.argv)} && {shlex.join(second.argv)}"), contains=second.contains
    )
