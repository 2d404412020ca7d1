"""Finds the type errors that a mutant adds: mypy, which `.ci/run` starts, kills it like a test.

A removed argument without a default is such an error, although no test may reach the call. What mypy says only about a
condition that is always true is not counted, because every inverted branch has one.
"""

import ast
import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator

from tests.checkout import Checkout
from tests.mutation.mutants import ROOT, Mutant

_COMMAND = (
    *("-m", "mypy", "--no-error-summary", "--no-color-output", "--no-pretty", "--no-warn-unreachable"),
    *("--disable-error-code", "redundant-expr", "--disable-error-code", "unreachable"),
)
_ERROR = re.compile(r"(?P<file>[^:]+):\d+: error: (?P<message>.*)")
_CACHE = ".mypy_cache"


def new_type_errors(checkout: Checkout, mutant: Mutant) -> list[str]:
    """Return the messages of mypy about a mutant that it does not have about the unchanged module, without comments."""
    if not (checkout.directory / _CACHE).exists() and (ROOT / _CACHE).exists():  # a first run takes a minute
        shutil.copytree(ROOT / _CACHE, checkout.directory / _CACHE)
    unchanged = ast.unparse(ast.parse(mutant.path.read_text(encoding="utf-8")))
    with checkout.changed(mutant.file, mutant.source):
        after = Counter(_errors(checkout, mutant.file))
    if not after:
        return []
    with checkout.changed(mutant.file, unchanged):  # its comments are gone, also those for mypy
        before = Counter(_errors(checkout, mutant.file))
    return sorted((after - before).elements())


def _errors(checkout: Checkout, file: str) -> Iterator[str]:
    done = subprocess.run(
        [sys.executable, *_COMMAND, file],
        cwd=checkout.directory,
        env={**os.environ, "MYPYPATH": str(checkout.directory)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode not in {0, 1}:
        raise RuntimeError(f"mypy exits with {done.returncode}:\n{done.stdout}{done.stderr}")
    for line in done.stdout.splitlines():
        match = _ERROR.fullmatch(line)
        if match and match["file"] == file:
            yield match["message"]
