"""Operations: start-up, and the time that `run` adds to the command it starts."""

from pathlib import Path

from benchmarks.environments import Setup
from benchmarks.operation import Aim, Competitor, Difference, Operation
from benchmarks.timing import Command

BARE = "python -c pass"
TRUE = next(path for path in ("/usr/bin/true", "/bin/true") if Path(path).exists())


def bare_python(setup: Setup) -> Competitor:
    """Return the interpreter that runs envsync, with nothing to do."""
    python = str(setup.tools.python)
    return Competitor(name=BARE, commands=lambda _: [Command(argv=(python, "-c", "pass"))])


def version(setup: Setup) -> Operation:
    """Return the operation `envsync --version`."""
    return Operation(
        name="version",
        title="Start-up",
        competitors=(
            Competitor(name="envsync --version", commands=lambda _: [setup.envsync("--version", contains="envsync ")]),
            bare_python(setup),
            Competitor(name="uv --version", commands=lambda _: [Command(argv=(str(setup.tools.uv), "--version"))]),
        ),
        aims=(Aim(ours="envsync --version", theirs=BARE, most=2),),
    )


def run(setup: Setup) -> Operation:
    """Return the operation `envsync run NAME -- true`."""
    fleet = setup.fleet("medium", 1)
    whole, own = "envsync run NAME -- true", "envsync run's own"
    return Operation(
        name="run",
        title="Running a command in an environment",
        competitors=(
            Competitor(
                name=whole,
                commands=lambda _: [setup.envsync("run", "-f", fleet.manifest, fleet.names[0], "--", "true")],
            ),
            Competitor(name="true", commands=lambda _: [Command(argv=(TRUE,))]),
            bare_python(setup),
        ),
        differences=(Difference(name=own, whole=whole, part="true"),),
        aims=(Aim(ours=own, theirs=BARE, most=2),),
    )
