"""The value of `python`: a version, a version specifier (PEP 440), or the path of an interpreter."""

import os
import re
from pathlib import Path

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import Version

from reconciler.backticks import in_backticks
from reconciler.manifest.hints import suggest
from reconciler.manifest.interpreter_name import is_interpreter_name
from reconciler.manifest.invalid_text import InvalidTextError
from reconciler.manifest.paths import refuse_long_path

_VERSION = re.compile(r"\d{1,4}(\.\d{1,4}){0,2}((a|b|rc)\d{1,4})?t?")
_LONGEST = 200  # characters of a request that has a correction, or can be satisfied
_FREE_THREADED = (3, 13)  # the first version with such a build (PEP 703)
_HIGHEST_MAJOR = 9  # 312 is a misspelt 3.12
_VERSION_HINT = 'write a version such as `"3.12"`, or a specifier such as `">=3.11,<3.14"`'
_OUTSIDE_HINT = 'write the absolute path of an interpreter outside the repository, or a version such as `"3.12"`'
_NAME_HINT = 'write the path of the interpreter itself, for example `/usr/bin/python3`, or a version such as `"3.12"`'


def validate_python(text: str, directory: Path) -> str:
    """Return the request without white space around it; raises InvalidTextError.

    A path must be absolute and outside `directory`, the manifest's own, and end in a name that interpreters have.
    Planning runs the interpreter to get its version, and must not run a program that comes with the repository.
    """
    request = text.strip()
    if "/" in request or "\\" in request or re.match(r"~(?![=\d])", request):
        return _validate_interpreter_path(request, directory)
    if not request:
        raise InvalidTextError("the Python version is empty", hint=_VERSION_HINT)
    if not _VERSION.fullmatch(request):
        _validate_specifiers(request)
    else:
        _validate_version(request)
    return request


def corrected_python(text: str) -> str:
    """Return the version or specifier that a text most likely means (`py312`, `^3.11`), or an empty string."""
    from reconciler.manifest.requirement_corrections import corrected_requirement, straight_quotes

    if len(text) > _LONGEST:
        return ""
    text = straight_quotes(text.strip()).strip("\"'").lower()
    text = re.sub(r"^(?:c?python|cp|py|v)[ =@_-]*(?=[\d<>=!~^])", "", text)
    text = re.sub(r"(?:\.exe|-dev|m)$", "", text)
    if compact := re.fullmatch(r"3(\d{1,2}t?)", text):
        return _without_wrong_t(f"3.{compact[1]}")
    if wild := re.fullmatch(r"=*\s*(\d+(?:\.\d+)?)(?:\.[x*])+", text):
        return wild[1] if _exists(wild[1]) else ""
    if at_least := re.fullmatch(r"(\d+(?:\.\d+)*)\s*(?:\+|or (?:newer|later|higher)|and (?:up|above))", text):
        return f">={at_least[1]}"
    if span := re.fullmatch(r"(3\.\d+)\s*(?:-|\.\.+|to|\|\|?|or)\s*3\.(\d+)", text):
        return f">={span[1]},<3.{int(span[2]) + 1}"
    text = re.sub(r"^=\s*(?=\d)", "", text)
    if _VERSION.fullmatch(text):
        return _without_wrong_t(text) if _exists(text) else ""
    if re.match(r"[<>=!~]", text) and not corrected_requirement(f"python{text}"):
        try:
            return str(SpecifierSet(text)) and text
        except InvalidSpecifier:
            return ""
    found = corrected_requirement(f"python{text}") if re.match(r"[<>=!~^]", text) else ""
    return found.removeprefix("python").replace(" ", "")


def _exists(version: str) -> bool:
    """Return whether a version is not above all Python versions; 312 is."""
    major = re.match(r"\d+", version)
    return major is not None and int(major[0]) <= _HIGHEST_MAJOR


def _without_wrong_t(version: str) -> str:
    """Return a version without the `t` at its end if it has no free-threaded build."""
    wrong = version.endswith("t") and Version(version[:-1]).release < _FREE_THREADED
    return version[:-1] if wrong else version


def _python_hint(text: str) -> str:
    corrected = corrected_python(text)
    return suggest(f'"{corrected}"') if corrected else _VERSION_HINT


def validate_matrix_python(text: str) -> str:
    """Return one version of a matrix, which becomes part of an environment's name; raises InvalidTextError."""
    request = text.strip()
    if not _VERSION.fullmatch(request):
        corrected = corrected_python(text)
        hint = 'write a version such as `"3.12"`, not a specifier or a path'
        if _VERSION.fullmatch(corrected):
            hint = suggest(f'"{corrected}"')
        raise InvalidTextError("not a valid Python version", hint=hint)
    _validate_version(request)
    return request


def _validate_version(request: str) -> None:
    """Raise InvalidTextError for a version that no Python has: `3.13t` is one without the global interpreter lock."""
    if not _exists(request):
        raise InvalidTextError(f"not a Python version: {in_backticks(request)}", hint=_python_hint(request))
    if _without_wrong_t(request) != request:
        raise InvalidTextError(
            f"Python {request[:-1]} has no free-threaded build",
            hint=f'write `"{request[:-1]}"`, or `"3.13t"` or later',
        )


def _validate_specifiers(request: str) -> None:
    try:
        specifiers = SpecifierSet(request)
    except InvalidSpecifier as error:
        raise InvalidTextError(
            f"not a valid version specifier (PEP 440): {in_backticks(request)}", hint=_python_hint(request)
        ) from error
    if specifiers.is_unsatisfiable():
        raise InvalidTextError(f"no version can satisfy {in_backticks(request)}", hint="")


def _validate_interpreter_path(request: str, directory: Path) -> str:
    if not request.startswith("/"):
        if (windows := re.search(r"python(3\d{1,2})\\", request, re.IGNORECASE)) and "\\" in request:
            hint = _python_hint(windows[1])
            raise InvalidTextError("a Windows path, but envsync does not run on Windows", hint=hint)
        message = "the path of an interpreter must be absolute: envsync never runs one from the repository"
        raise InvalidTextError(message, hint=_OUTSIDE_HINT)
    refuse_long_path(request)
    real_directory = os.path.realpath(directory)
    for path in {os.path.normpath(request), os.path.realpath(request)}:
        for base in {real_directory, os.path.normpath(directory.absolute())}:
            if path == base or path.startswith(base.rstrip("/") + "/"):
                message = (
                    "the interpreter is inside the manifest's directory: envsync never runs one from the repository"
                )
                raise InvalidTextError(message, hint=_OUTSIDE_HINT)
    name = request.rpartition("/")[2]
    if not is_interpreter_name(name):
        message = f"not the path of an interpreter: no interpreter is called {in_backticks(name)}"
        raise InvalidTextError(message, hint=_NAME_HINT)
    return request
