"""The options that commands share, so that each is described once."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from reconciler.engines.deadlines import Deadlines
from reconciler.errors import UsageError
from reconciler.observe.actual import Depth
from reconciler.options import Selection
from reconciler.render.report import Format


class ColorMode(StrEnum):
    """When to colour."""

    AUTO = "auto"
    ALWAYS = "always"
    NEVER = "never"


class Output(StrEnum):
    """How to print."""

    TEXT = "text"
    JSON = "json"


FileOption = Annotated[
    Path, typer.Option("--file", "-f", envvar="ENVSYNC_FILE", help="The manifest.", show_default="envs.yaml")
]
NamesArgument = Annotated[
    list[str] | None, typer.Argument(metavar="NAME", help="Environments, with what they depend on; default: all.")
]
LabelsOption = Annotated[
    list[str] | None, typer.Option("--label", "-l", metavar="K=V", help="Environments that carry this label.")
]
OutputOption = Annotated[Output, typer.Option("--output", help="How to print.")]
FormatOption = Annotated[Format, typer.Option("--output", help="How to print.")]
DepthOption = Annotated[
    Depth,
    typer.Option("--depth", help="How closely to look: as pip freeze does, every file's stat, every file's hash."),
]
ActualOption = Annotated[
    Path | None,
    typer.Option("--actual", metavar="FILE", help="Judge a snapshot (`observe --out`) in place of this machine."),
]
OfflineOption = Annotated[bool, typer.Option("--offline", help="Use no network.")]
LockedOption = Annotated[bool, typer.Option("--locked", help="A lock that is missing or stale is an error.")]
PruneOption = Annotated[
    bool, typer.Option("--prune/--no-prune", help="Delete what the manifest no longer names (and this project owns).")
]
AllowEmptyOption = Annotated[
    bool, typer.Option("--allow-empty", help="Let a manifest without environments delete them all.")
]
AdoptOption = Annotated[
    bool, typer.Option("--adopt", help="Take over a virtual environment that somebody else made; the old one is kept.")
]
DropIgnoredOption = Annotated[
    bool, typer.Option("--drop-ignored", help="Let a rebuild lose packages that `ignore` names.")
]
YesOption = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
LockTimeoutOption = Annotated[
    float, typer.Option("--lock-timeout", min=0, metavar="SECONDS", help="How long to wait for another apply.")
]
TimeoutOption = Annotated[
    float | None,
    typer.Option(
        "--timeout",
        min=1,
        metavar="SECONDS",
        help="The most that one run of the package tool may take.",
        show_default="300 to resolve, 1800 to install",
    ),
]
ParallelismOption = Annotated[
    int, typer.Option("--parallelism", min=1, help="Environments built at once.", show_default="processors")
]
GcOption = Annotated[bool, typer.Option("--gc/--no-gc", help="Delete generations that retention does not keep.")]


def deadlines(timeout: float | None) -> Deadlines:
    """Return the deadlines that `--timeout` asks for."""
    return Deadlines() if timeout is None else Deadlines.within(timeout)


def selection(names: list[str] | None, labels: list[str] | None) -> Selection:
    """Return what the command line selects; raises UsageError for a label that is not `key=value`."""
    pairs = {}
    for label in labels or []:
        key, equals, value = label.partition("=")
        if not key or not equals:
            raise UsageError(f"not a label: {label!r}", hint="labels are selected as -l key=value")
        pairs[key] = value
    return Selection(names=tuple(names or ()), labels=pairs)
