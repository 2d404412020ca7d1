"""The Python that an environment asks for: a version, a specifier set (PEP 440), or an interpreter's path."""

import os
import re
from pathlib import Path

from packaging.specifiers import InvalidSpecifier, SpecifierSet

from reconciler.manifest.refusal import RefusedError

_VERSION = re.compile(r"\d{1,4}(\.\d{1,4}){0,2}((a|b|rc)\d{1,4})?")
_OUTSIDE = 'name an interpreter outside of the repository, or a version such as "3.12"'


def check_python(text: str, directory: Path) -> str:
    """Return the request as written, without white space around it, or refuse it.

    A path must be absolute and outside `directory`, the manifest's: planning asks the interpreter for its version,
    and must not run what a repository brings along.
    """
    request = text.strip()
    if "/" in request or "\\" in request or request.startswith("~"):
        return _check_path(request, directory)
    if not request:
        raise RefusedError("not a valid Python version: it is empty", hint='for instance "3.12" or ">=3.11"')
    if not _VERSION.fullmatch(request):
        _check_specifiers(request)
    return request


def check_matrix_python(text: str) -> str:
    """Return a version for one cell of a matrix, or refuse it: a cell's name is made of it."""
    request = text.strip()
    if not _VERSION.fullmatch(request):
        raise RefusedError("not a Python version", hint='a matrix lists versions, for instance "3.12"')
    return request


def _check_specifiers(request: str) -> None:
    try:
        specifiers = SpecifierSet(request)
    except InvalidSpecifier as error:
        named = re.fullmatch(r"(?:python|py|cpython)[ =@-]*(\d+(?:\.\d+)*)", request, re.IGNORECASE)
        hint = f'did you mean "{named.group(1)}"?' if named else 'for instance "3.12", ">=3.11,<3.14" or "3.12.1"'
        raise RefusedError(f"not a valid version specifier: {request}", hint=hint) from error
    if specifiers.is_unsatisfiable():
        raise RefusedError(f"no version satisfies {request}")


def _check_path(request: str, directory: Path) -> str:
    if not request.startswith("/"):
        raise RefusedError(
            "a relative path to an interpreter; envsync runs none that a repository holds", hint=_OUTSIDE
        )
    here = os.path.realpath(directory)
    for path in {os.path.normpath(request), os.path.realpath(request)}:
        for base in {here, os.path.normpath(directory.absolute())}:
            if path == base or path.startswith(base.rstrip("/") + "/"):
                raise RefusedError(
                    "an interpreter in the manifest's own directory; envsync runs none of those", hint=_OUTSIDE
                )
    return request
