"""The options that every command has (`--color`, `-q`, `-v`), which a decorator adds."""

import inspect
from collections.abc import Callable
from functools import wraps
from typing import Annotated, Any

import typer

from reconciler.cli.console import Console, set_console
from reconciler.cli.options import ColorMode

_COMMON: dict[str, tuple[Any, Any]] = {
    "color": (Annotated[ColorMode, typer.Option("--color", help="When to color the output.")], ColorMode.AUTO),
    "quiet": (Annotated[bool, typer.Option("--quiet", "-q", help="Suppress messages on standard error.")], False),
    "verbose": (
        Annotated[
            int,
            typer.Option(
                "--verbose", "-v", count=True, help="List all packages, files and values instead of the first few."
            ),
        ],
        0,
    ),
}


def with_common_options(command: Callable[..., None]) -> Callable[..., None]:
    """Return `command` with the common options; they configure the console before it starts."""

    @wraps(command)
    def decorated(*, color: ColorMode, quiet: bool, verbose: int, **arguments: Any) -> None:
        set_console(Console(color=color.value, quiet=quiet, verbose=verbose))
        command(**arguments)

    signature = inspect.signature(command)
    extra = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)
        for name, (annotation, default) in _COMMON.items()
    ]
    keyword_only = [each.replace(kind=inspect.Parameter.KEYWORD_ONLY) for each in signature.parameters.values()]
    decorated.__signature__ = signature.replace(parameters=[*keyword_only, *extra])  # type: ignore[attr-defined]
    decorated.__annotations__ = {**command.__annotations__, **{name: kind for name, (kind, _) in _COMMON.items()}}
    return decorated
