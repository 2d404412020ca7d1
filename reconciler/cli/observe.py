"""`envsync observe`: a host's actual state in a file, to be judged where the host is not."""

import os
from pathlib import Path
from typing import Annotated

import typer

import reconciler
from reconciler.cli.console import screen
from reconciler.cli.options import DepthOption, FileOption, LabelsOption, NamesArgument, selection
from reconciler.errors import UsageError
from reconciler.fs.atomic_write import write_atomic
from reconciler.observe.actual import Depth
from reconciler.render.escape import shown


def observe(
    names: NamesArgument = None,
    file: FileOption = Path("envs.yaml"),
    labels: LabelsOption = None,
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="Where to write it; - is standard output.")] = Path(
        "-"
    ),
    depth: DepthOption = Depth.FILES,
) -> None:
    """Write down what stands here, for `check --actual` elsewhere.

    A snapshot in JSON, without secrets. Changes nothing, runs nothing of what it looks at.
    """
    from reconciler.snapshot.file import snapshot_json  # its models take as long as many a plan

    to_file = str(out) != "-"
    if to_file and os.path.lexists(out) and (out.is_symlink() or not out.is_file()):
        raise UsageError(f"--out {out}: not a regular file", hint="name a file, or - for standard output")
    snapshot = reconciler.load(file).observe(selection(names, labels), depth)
    text = snapshot_json(snapshot)
    if not to_file:
        screen().say(text)
        return
    write_atomic(out, text.encode("ascii"))
    count = len(snapshot.environments)
    seen = "1 environment as it stands" if count == 1 else f"{count} environments as they stand"
    screen().talk(f"{shown(str(out))}: {seen}, at depth {depth}")
