"""The options that commands share, so that each is described once."""

from collections.abc import Iterable
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from reconciler.engines.deadlines import Deadlines
from reconciler.errors import UsageError
from reconciler.observe.actual import Depth
from reconciler.options import Selection
from reconciler.render.formats import Format


class ColorMode(StrEnum):
    """When to color the output."""

    AUTO = "auto"
    ALWAYS = "always"
    NEVER = "never"


class Output(StrEnum):
    """The output format of commands without reports."""

    TEXT = "text"
    JSON = "json"


FileOption = Annotated[
    Path,
    typer.Option(
        "--file",
        "-f",
        envvar="ENVSYNC_FILE",
        help="The manifest file.",
        show_default="envs.yaml",
        readable=False,  # typer does not check it: the reader of the manifest reports a better error
    ),
]
NamesArgument = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="NAME", help="Environments to select; those in their `depends_on` are included. Default: all."
    ),
]
LabelsOption = Annotated[
    list[str] | None, typer.Option("--label", "-l", metavar="K=V", help="Select environments with this label.")
]
OutputOption = Annotated[Output, typer.Option("--output", help="Output format.")]
FormatOption = Annotated[Format, typer.Option("--output", help="Output format.")]
DepthOption = Annotated[
    Depth,
    typer.Option(
        "--depth",
        help="What to compare: the packages that pip freeze lists, every file by stat, or every file by hash.",
    ),
]
ActualOption = Annotated[
    Path | None,
    typer.Option("--actual", metavar="FILE", help="Compare with a snapshot (`observe --out`) instead of this machine."),
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
    bool, typer.Option("--allow-empty", help="Allow a manifest without environments to delete all of them.")
]
AdoptOption = Annotated[
    bool,
    typer.Option("--adopt", help="Take over a virtual environment that envsync did not create; the old one is kept."),
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
YesOption = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask for confirmation.")]
LockTimeoutOption = Annotated[
    float,
    typer.Option("--lock-timeout", min=0, metavar="SECONDS", help="How long to wait for another apply to finish."),
]
TimeoutOption = Annotated[
    float | None,
    typer.Option(
        "--timeout",
        min=1,
        metavar="SECONDS",
        help="The time limit for one run of the package tool.",
        show_default="300 to resolve, 1800 to install",
    ),
]
ParallelismOption = Annotated[
    int,
    typer.Option(
        "--parallelism", min=1, help="How many environments to build at the same time.", show_default="processors"
    ),
]
GcOption = Annotated[bool, typer.Option("--gc/--no-gc", help="Delete old generations beyond `keep_generations`.")]


def deadlines(timeout: float | None) -> Deadlines:
    """Return the deadlines for `--timeout` (seconds); None stands for the defaults."""
    return Deadlines() if timeout is None else Deadlines.within(timeout)


def selection(names: list[str] | None, labels: list[str] | None) -> Selection:
    """Return the selection on the command line; raises UsageError for a label that is not `key=value`."""
    pairs = {}
    for label in labels or []:
        key, equals, value = label.partition("=")
        if not key or not equals:
            raise UsageError(f"`{label}` is not of the form KEY=VALUE", hint="select a label with `-l key=value`")
        pairs[key] = value
    return Selection(names=tuple(names or ()), labels=pairs)


def reject_combination(context: typer.Context, option: str, others: Iterable[str], *, why: str) -> None:
    """Raise UsageError if one of `others` (`--depth`) is on the command line together with `option`."""
    for parameter in context.command.params:
        source = context.get_parameter_source(parameter.name or "")
        given = source is not None and source.name == "COMMANDLINE"
        for name in parameter.opts:
            if given and name in others:
                raise UsageError(f"{option} and {name} cannot be combined", hint=why)
