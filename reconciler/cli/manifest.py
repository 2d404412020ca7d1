"""`envsync validate` and `envsync schema`: check the manifest, without reading environments or using the network."""

import json
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

import reconciler
from reconciler import exit_codes
from reconciler.cli.console import console
from reconciler.cli.error_output import print_failures
from reconciler.cli.options import FileOption


class SchemaName(StrEnum):
    """The documents that have a schema."""

    MANIFEST = "manifest"
    PLAN = "plan"
    EVENTS = "events"
    ERROR = "error"
    SNAPSHOT = "snapshot"


def validate(file: FileOption = Path("envs.yaml")) -> None:
    """Check the manifest, the files that it names, and whether it allows what the locks contain."""
    workspace = reconciler.load(file)
    desired = workspace.desired()
    refused = workspace.refused_locks()
    if refused:
        print_failures(refused)
        raise typer.Exit(exit_codes.INVALID_INPUT)
    count = len(desired.environments)
    console().message(f"{file}: {count} environment{'' if count == 1 else 's'}, no errors")


def schema(
    document: Annotated[
        SchemaName, typer.Argument(metavar="DOCUMENT", help="The document that the schema describes.")
    ] = SchemaName.MANIFEST,
) -> None:
    """Print the JSON Schema of a file or an output."""
    console().print(schema_text(document))


def schema_text(name: SchemaName) -> str:
    """Return a schema as it is committed below `schemas/`."""
    match name:
        case SchemaName.MANIFEST:
            from reconciler.manifest.schema import manifest_schema

            found = manifest_schema()
        case SchemaName.PLAN:
            from reconciler.plan.document import plan_schema

            found = plan_schema()
        case SchemaName.EVENTS:
            from reconciler.render.event_document import event_schema

            found = event_schema()
        case SchemaName.ERROR:
            from reconciler.render.error_document import error_schema

            found = error_schema()
        case SchemaName.SNAPSHOT:
            from reconciler.snapshot.document import snapshot_schema

            found = snapshot_schema()
    return json.dumps(found, indent=2) + "\n"
