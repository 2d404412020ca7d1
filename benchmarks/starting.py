"""Operations: start-up, and what `run` adds to the command that it becomes."""

from pathlib import Path

from benchmarks.environments import Ground
from benchmarks.operation import Aim, Competitor, Difference, Operation
from benchmarks.timing import Command

BARE = "python -c pass"
TRUE = next(path for path in ("/usr/bin/true", "/bin/true") if Path(path).exists())


def bare(ground: Ground) -> Competitor:
    """Return the interpreter that runs envsync, doing nothing."""
    python = str(ground.tools.python)
    return Competitor(name=BARE, commands=lambda _: [Command(argv=(python, "-c", "pass"))])


def version(ground: Ground) -> Operation:
    """`envsync --version`."""
    return Operation(
        name="version",
        title="Start-up",
        competitors=(
            Competitor(name="envsync --version", commands=lambda _: [ground.envsync("--version", says="envsync ")]),
            bare(ground),
            Competitor(name="uv --version", commands=lambda _: [Command(argv=(str(ground.tools.uv), "--version"))]),
        ),
        aims=(Aim(ours="envsync --version", theirs=BARE, most=2),),
    )


def run(ground: Ground) -> Operation:
    """`envsync run NAME -- true`."""
    fleet = ground.fleet("medium", 1)
    whole, own = "envsync run NAME -- true", "envsync run's own"
    return Operation(
        name="run",
        title="Running a command in an environment",
        competitors=(
            Competitor(
                name=whole,
                commands=lambda _: [ground.envsync("run", "-f", fleet.manifest, fleet.names[0], "--", "true")],
            ),
            Competitor(name="true", commands=lambda _: [Command(argv=(TRUE,))]),
            bare(ground),
        ),
        differences=(Difference(name=own, whole=whole, part="true"),),
        aims=(Aim(ours=own, theirs=BARE, most=2),),
    )
