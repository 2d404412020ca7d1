"""A program that starts a base interpreter with `-I -S -B`, for an engine that starts it without `-S` itself.

uv queries an interpreter with `-I -B` before it resolves (checked with 0.13.9), and `-I` does not stop what `site`
runs: `.pth` files and `sitecustomize`. It caches no facts about a program that only starts the interpreter, and finds
none there that someone else wrote.
"""

import os
import shlex
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from reconciler.errors import EngineError
from reconciler.fs.sync import naming


@contextmanager
def isolated_interpreter(path: str, scratch: Path, cache: Callable[[], Path]) -> Iterator[Path]:
    """Yield a program in `scratch` that starts the interpreter at `path` (absolute) with `-I -S -B` and its arguments.

    If no program can be started from there (the mount option `noexec`), it is in a directory below that of `cache`
    instead, and deleted afterwards. Raises EngineError if that does not work either, or OSError.
    """
    program = _write(path, scratch)
    if os.access(program, os.X_OK):
        yield program
        return
    directory = cache()
    directory.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="envsync-", dir=directory) as below_cache:
        program = _write(path, Path(below_cache))
        if not os.access(program, os.X_OK):
            raise EngineError(
                f"no program can be started from `{scratch.parent}` or from `{directory}`",
                hint="set `TMPDIR` to a directory on a file system without the mount option `noexec`",
            )
        yield program


def _write(path: str, directory: Path) -> Path:
    program = directory / "python"
    # Made with its mode: some file systems refuse to change one.
    descriptor = os.open(program, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o700)
    with naming(program), os.fdopen(descriptor, "wb") as file:
        file.write(b'#!/bin/sh\nexec %s -I -S -B "$@"\n' % os.fsencode(shlex.quote(path)))
    return program
