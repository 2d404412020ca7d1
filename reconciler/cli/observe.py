"""`envsync observe`: write the actual state of a host to a file, to compare it elsewhere."""

from pathlib import Path
from typing import Annotated

import typer

import reconciler
from reconciler.cli.console import console
from reconciler.cli.options import DepthOption, FileOption, LabelsOption, NamesArgument, selection
from reconciler.cli.output_file import check_output_file
from reconciler.fs.atomic_write import write_atomic
from reconciler.observe.actual import Depth
from reconciler.render.escape import sanitize


def observe(
    names: NamesArgument = None,
    file: FileOption = Path("envs.yaml"),
    labels: LabelsOption = None,
    out: Annotated[
        Path,
        typer.Option("--out", metavar="FILE", help="The file to write. `-` is standard output.", readable=False),
    ] = Path("-"),
    depth: DepthOption = Depth.FILES,
) -> None:
    """Write a snapshot, to check it on another machine.

    `check --actual` reads it there. The snapshot is JSON without secrets. Changes nothing, and runs no code of the
    environments or packages.
    """
    from reconciler.snapshot.file import snapshot_json  # its models are slow to import

    to_file = str(out) != "-"
    if to_file:
        check_output_file(out)
    chosen = selection(names, labels)
    snapshot = reconciler.load(file).observe(chosen, depth)
    text = snapshot_json(snapshot)
    for name, fault in sorted(snapshot.faults.items()):
        console().message(f"note: `{sanitize(name)}`: {sanitize(fault.message)}")
    if not to_file:
        console().print(text)
        return
    write_atomic(out, text.encode("ascii"))
    count = len(snapshot.environments)
    environments = "1 environment" if count == 1 else f"{count} environments"
    console().message(f"{sanitize(str(out))}: wrote a snapshot of {environments} at depth `{depth}`")
