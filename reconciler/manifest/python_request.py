"""The value of `python`: a version, a version specifier (PEP 440), or the path of an interpreter."""

import os
import re
from pathlib import Path

from packaging.specifiers import InvalidSpecifier, SpecifierSet

from reconciler.backticks import in_backticks
from reconciler.manifest.hints import suggest
from reconciler.manifest.invalid_text import InvalidTextError

_VERSION = re.compile(r"\d{1,4}(\.\d{1,4}){0,2}((a|b|rc)\d{1,4})?")
_VERSION_HINT = 'write a version such as `"3.12"`, or a specifier such as `">=3.11,<3.14"`'
_OUTSIDE_HINT = 'write the absolute path of an interpreter outside the repository, or a version such as `"3.12"`'


def validate_python(text: str, directory: Path) -> str:
    """Return the request without white space around it; raises InvalidTextError.

    A path must be absolute and outside `directory`, the manifest's own. Planning runs the interpreter to get its
    version, and must not run a program that comes with the repository.
    """
    request = text.strip()
    if "/" in request or "\\" in request or re.match(r"~(?!=)", request):
        return _validate_interpreter_path(request, directory)
    if not request:
        raise InvalidTextError("the Python version is empty", hint=_VERSION_HINT)
    if not _VERSION.fullmatch(request):
        _validate_specifiers(request)
    return request


def validate_matrix_python(text: str) -> str:
    """Return one version of a matrix, which becomes part of an environment's name; raises InvalidTextError."""
    request = text.strip()
    if not _VERSION.fullmatch(request):
        raise InvalidTextError(
            "not a valid Python version", hint='write a version such as `"3.12"`, not a specifier or a path'
        )
    return request


def _validate_specifiers(request: str) -> None:
    try:
        specifiers = SpecifierSet(request)
    except InvalidSpecifier as error:
        named = re.fullmatch(r"(?:python|py|cpython)[ =@-]*(\d+(?:\.\d+)*)", request, re.IGNORECASE)
        hint = suggest(f'"{named.group(1)}"') if named else _VERSION_HINT
        raise InvalidTextError(
            f"not a valid version specifier (PEP 440): {in_backticks(request)}", hint=hint
        ) from error
    if specifiers.is_unsatisfiable():
        raise InvalidTextError(f"no version can satisfy {in_backticks(request)}")


def _validate_interpreter_path(request: str, directory: Path) -> str:
    if not request.startswith("/"):
        message = "the path of an interpreter must be absolute: envsync never runs one from the repository"
        raise InvalidTextError(message, hint=_OUTSIDE_HINT)
    real_directory = os.path.realpath(directory)
    for path in {os.path.normpath(request), os.path.realpath(request)}:
        for base in {real_directory, os.path.normpath(directory.absolute())}:
            if path == base or path.startswith(base.rstrip("/") + "/"):
                message = (
                    "the interpreter is inside the manifest's directory: envsync never runs one from the repository"
                )
                raise InvalidTextError(message, hint=_OUTSIDE_HINT)
    return request
