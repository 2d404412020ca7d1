"""The options that commands share, so that each is described once."""

import shlex
from collections.abc import Iterable
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from reconciler.backticks import in_backticks
from reconciler.engines.deadlines import Deadlines
from reconciler.errors import UsageError
from reconciler.observe.actual import Depth
from reconciler.options import Selection
from reconciler.render.formats import Format

_LONGEST_SECONDS = 7 * 24 * 60 * 60  # poll(2) takes milliseconds as a 32-bit number, and infinity is not one
_ONE_RUN = "The time limit for one run of the package tool."


def _timeout(limit: str, *, default: str) -> Any:  # as `typer.Option`
    """Return the option `--timeout` in seconds; `limit` says what it limits, `default` what holds without it."""
    return typer.Option("--timeout", min=1, max=_LONGEST_SECONDS, metavar="SECONDS", help=limit, show_default=default)


class ColorMode(StrEnum):
    """When to color the output."""

    AUTO = "auto"
    ALWAYS = "always"
    NEVER = "never"


class Output(StrEnum):
    """The output format of commands without reports."""

    TEXT = "text"
    JSON = "json"


# typer does not check the files (`readable=False`): their readers report better errors.
FileOption = Annotated[
    Path,
    typer.Option(
        "--file",
        "-f",
        metavar="FILE",
        envvar="ENVSYNC_FILE",
        help="The manifest file.",
        show_default="envs.yaml",
        readable=False,
    ),
]
NamesArgument = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="NAME",
        help="Select only these environments and those that they depend on.",
        show_default="all environments",
    ),
]
LabelsOption = Annotated[
    list[str] | None,
    typer.Option(
        "--label",
        "-l",
        metavar="KEY=VALUE",
        help="Select only environments with this label. An environment must have every given label.",
    ),
]
OutputOption = Annotated[Output, typer.Option("--output", metavar="FORMAT", help="The output format.")]
FormatOption = Annotated[Format, typer.Option("--output", metavar="FORMAT", help="The output format.")]
DepthOption = Annotated[
    Depth,
    typer.Option(
        "--depth",
        metavar="DEPTH",
        help="How closely to look: at the packages that `pip freeze` lists, at the size and times of every file, or at "
        "the hash of every file.",
    ),
]
ActualOption = Annotated[
    Path | None,
    typer.Option(
        "--actual",
        metavar="FILE",
        help="Compare with a snapshot (`observe --out`) instead of this machine.",
        readable=False,
    ),
]
OfflineOption = Annotated[bool, typer.Option("--offline", help="Do not use the network.")]
LockedOption = Annotated[bool, typer.Option("--locked", help="Fail if a lock is missing or out of date.")]
PruneOption = Annotated[
    bool,
    typer.Option(
        "--prune/--no-prune", help="Delete environments of this project that the manifest no longer declares."
    ),
]
AllowEmptyOption = Annotated[
    bool, typer.Option("--allow-empty", help="Allow deleting every environment if the manifest declares none.")
]
AdoptOption = Annotated[
    bool,
    typer.Option(
        "--adopt",
        help="Take over a virtual environment that envsync did not create. `rollback` can restore the old one.",
    ),
]
DropIgnoredOption = Annotated[
    bool,
    typer.Option(
        "--drop-ignored", help="Allow a rebuild to drop the packages and files that `ignore` and `ignore_files` match."
    ),
]
SkipHooksOption = Annotated[
    bool, typer.Option("--skip-hooks", help="Run no hooks, and count those that are due as done.")
]
StageOption = Annotated[
    bool,
    typer.Option(
        "--stage",
        help="Build, verify and probe new generations without publishing them. `envsync publish` publishes them later.",
    ),
]
TakeOverOption = Annotated[
    bool,
    typer.Option(
        "--take-over",
        help="Treat environments that another manifest of this project applied, or this one under another `project`, "
        "as its own: update those that it declares, and delete the others.",
    ),
]
YesOption = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask for confirmation.")]
LockTimeoutOption = Annotated[
    float,
    typer.Option("--lock-timeout", min=0, metavar="SECONDS", help="How long to wait for another `apply` to finish."),
]
ResolveTimeoutOption = Annotated[
    float | None, _timeout("The time limit for resolving one lock.", default=f"{Deadlines().resolve:g}")
]
TimeoutOption = Annotated[
    float | None,
    _timeout(_ONE_RUN, default=f"{Deadlines().resolve:g} to resolve, {Deadlines().install:g} to install"),
]
RebuildTimeoutOption = Annotated[float | None, _timeout(_ONE_RUN, default=f"{Deadlines().install:g}")]
ParallelismOption = Annotated[
    int,
    typer.Option(
        "--parallelism",
        min=1,
        metavar="N",
        help="How many environments to build at the same time.",
        show_default="number of processors",
    ),
]
GcOption = Annotated[bool, typer.Option("--gc/--no-gc", help="Delete old generations beyond `keep_generations`.")]


def deadlines(timeout: float | None) -> Deadlines:
    """Return the deadlines for `--timeout` (seconds); None stands for the defaults."""
    return Deadlines() if timeout is None else Deadlines.within(timeout)


def selection(names: list[str] | None, labels: list[str] | None) -> Selection:
    """Return the selection on the command line; raises UsageError for a label that is not `KEY=VALUE`."""
    pairs = {}
    for label in labels or []:
        key, equals, value = label.partition("=")
        if not key or not equals:
            raise UsageError(f"{as_typed('--label', label)}: must be KEY=VALUE", hint="write `--label KEY=VALUE`")
        pairs[key] = value
    return Selection(names=tuple(names or ()), labels=pairs)


def reject_with_stage(context: typer.Context) -> None:
    """Raise UsageError for an option that says how to publish, which `--stage` does not do."""
    reject_combination(context, "--stage", ("--depth",), why="remove `--depth`: staging always looks at every file")
    reject_combination(context, "--stage", ("--adopt",), why="remove `--stage` to take over a virtual environment")
    reject_combination(context, "--stage", ("--skip-hooks",), why="use `--skip-hooks` with `envsync publish`")


def as_typed(option: str, value: str) -> str:
    """Return an option and its value as they are typed, in backticks."""
    return in_backticks(f"{option} {shlex.quote(value)}")


def reject_combination(context: typer.Context, option: str, others: Iterable[str], *, why: str) -> None:
    """Raise UsageError if one of `others` (`--depth`) is on the command line together with `option`."""
    for parameter in context.command.params:
        source = context.get_parameter_source(parameter.name or "")
        given = source is not None and source.name == "COMMANDLINE"
        for name in parameter.opts:
            if given and name in others:
                raise UsageError(f"`{option}` and `{name}` cannot be combined", hint=why)
