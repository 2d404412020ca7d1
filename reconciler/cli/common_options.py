"""The options that every command except `run` has (`--color`, `-q`, `-v`), which a decorator adds."""

import inspect
import os
from collections.abc import Callable
from functools import wraps
from typing import Annotated, Any

import typer

from reconciler.cli.console import Console, set_console
from reconciler.cli.options import ColorMode
from reconciler.render.manifest_option import set_manifest_option

_OPTIONS: dict[str, tuple[Any, Any]] = {
    "color": (
        Annotated[ColorMode, typer.Option("--color", metavar="WHEN", help="When to color the output.")],
        ColorMode.AUTO,
    ),
    "quiet": (Annotated[bool, typer.Option("--quiet", "-q", help="Suppress messages on standard error.")], False),
}
_VERBOSE = "List all packages, files and values instead of the first few."
_VERBOSE_UNUSED = "Has no effect on this command."


def with_common_options(command: Callable[..., None], *, prints_plan: bool) -> Callable[..., None]:
    """Return `command` with the common options; they configure the console before it starts.

    Only plans are longer with `-v`: `prints_plan` says whether the command prints one.
    """
    verbose = typer.Option("--verbose", "-v", count=True, help=_VERBOSE if prints_plan else _VERBOSE_UNUSED)
    options = {**_OPTIONS, "verbose": (Annotated[int, verbose], 0)}

    @wraps(command)
    def decorated(*, color: ColorMode, quiet: bool, verbose: int, **arguments: Any) -> None:
        set_console(Console(color=color.value, quiet=quiet, verbose=verbose))
        set_manifest_option(arguments.get("file"), os.environ)
        command(**arguments)

    signature = inspect.signature(command)
    extra = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)
        for name, (annotation, default) in options.items()
    ]
    keyword_only = [each.replace(kind=inspect.Parameter.KEYWORD_ONLY) for each in signature.parameters.values()]
    decorated.__signature__ = signature.replace(parameters=[*keyword_only, *extra])  # type: ignore[attr-defined]
    decorated.__annotations__ = {**command.__annotations__, **{name: kind for name, (kind, _) in options.items()}}
    return decorated
