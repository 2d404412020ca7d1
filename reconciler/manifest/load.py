"""Reads a manifest: YAML text to Manifest, or all of its errors at once, each with its place."""

import os
import shlex
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

from pydantic import ValidationError

from reconciler.errors import ManifestError, Place, Problem
from reconciler.fs.repository_top import repository_of
from reconciler.manifest.bounds import oversize_problem
from reconciler.manifest.cross_references import reference_problems
from reconciler.manifest.input_files import InputFiles
from reconciler.manifest.models import Manifest
from reconciler.manifest.paths import is_within
from reconciler.manifest.problem_limit import MOST_PROBLEMS, manifest_error
from reconciler.manifest.source_text import KeyPath
from reconciler.manifest.text_file import UnreadableFileError
from reconciler.manifest.written_matrix import unusable_keys
from reconciler.manifest.yaml_document import Document, Value, read_document


def load_manifest(file: Path, *, files: InputFiles | None = None) -> Manifest:
    """Return the manifest in `file`; raises ManifestError with all of its errors, in file order.

    It is read from disk unless `files` is given. Files that the manifest names are read later, by `expand`.
    """
    if files is None:
        _refuse_link_out_of_the_repository(file)
    try:
        content = (files or InputFiles()).text(file)
    except UnreadableFileError as error:
        raise ManifestError((_unreadable(file, error),)) from error
    document = read_document(str(file), content)
    if isinstance(document.value, dict) and (oversize := oversize_problem(document.value, document.source)):
        raise ManifestError((*document.problems, oversize))
    manifest, problems = _validate(document, file)
    if problems or manifest is None:
        raise manifest_error(sorted(problems, key=_order), str(file))
    return manifest


def _refuse_link_out_of_the_repository(file: Path) -> None:
    """Raise ManifestError if a commit made the manifest a link to a file elsewhere: errors would show its text."""
    try:
        directory, real = Path(os.path.realpath(file.parent)), Path(os.path.realpath(file))
    except ValueError:  # a NUL character: the error is reported when it is read
        return
    repository = repository_of(directory)
    if repository is not None and not is_within(real, repository):
        message = "a symbolic link to a file outside the repository"
        hint = f"name the file itself: `-f {shlex.quote(str(real))}`"
        raise ManifestError((Problem(message=message, path=str(file), hint=hint),))


def _validate(document: Document, file: Path) -> tuple[Manifest | None, list[Problem]]:
    value, source = document.value, document.source
    most = MOST_PROBLEMS + 1  # of each kind; the last one shows that there are more
    problems = [*document.problems, *islice(_empty_values(document), most)]
    broken = {*document.broken, *(path for path, each in _values(value) if each is None)}
    broken |= set(_unusable_matrix_keys(value))
    context = {"directory": file.parent, "file": file, "source": source}
    manifest = None
    try:
        manifest = Manifest.model_validate(value, context=context)
    except ValidationError as error:
        # Only imported for an invalid manifest, to start quickly.
        from reconciler.manifest.validation_errors import error_path, model_problems

        errors = [each for each in error.errors() if not _within(error_path(each, value), broken)]
        unsupported = [each for each in errors if each["loc"] == ("version",) and each["type"] != "missing"]
        if unsupported:  # other errors may be valid in that version
            return None, [*document.problems, *model_problems(unsupported, value, source)]
        problems += model_problems(errors[:most], value, source)
    if isinstance(value, dict):
        problems += islice(reference_problems(value, source, file.parent), most)
    return manifest, problems


def _unusable_matrix_keys(value: Value) -> Iterator[KeyPath]:
    """Yield the keys of every written matrix that `reference_problems` reports, so that only it reports them."""
    for kind in ("templates", "environments"):
        entries = value.get(kind) if isinstance(value, dict) else None
        for name, entry in entries.items() if isinstance(entries, dict) else ():
            matrix = entry.get("matrix") if isinstance(entry, dict) else None
            yield from ((kind, name, "matrix", key) for key in unusable_keys(matrix))


def _empty_values(document: Document) -> Iterator[Problem]:
    """Yield a problem for every key without a value: YAML null has no meaning anywhere in a manifest."""
    for path, value in _values(document.value):
        if value is None and path not in document.broken:
            hint = "remove the key, or give it a value"
            match path:
                case ("environments" | "templates",) | (_, _, "matrix", _, str()):
                    hint = f"write `{path[-1]}: {{}}` if it is empty"
                case (*_, int()):
                    hint = "remove it, or give it a value"
                case _:
                    pass
            yield document.source.problem("missing value", path, hint=hint, place=document.source.key_place(path))


def _values(value: Value, path: KeyPath = ()) -> Iterator[tuple[KeyPath, Value]]:
    yield path, value
    match value:
        case dict():
            for key, each in value.items():
                yield from _values(each, (*path, key))
        case tuple():
            for number, each in enumerate(value):
                yield from _values(each, (*path, number))
        case _:
            pass


def _within(path: Sequence[str | int], broken: set[KeyPath]) -> bool:
    return any(tuple(path[:length]) in broken for length in range(len(path) + 1))


def _order(problem: Problem) -> tuple[int, int]:
    return (problem.place.line, problem.place.column) if problem.place else (0, 0)


def _unreadable(file: Path, error: UnreadableFileError) -> Problem:
    if error.line:
        place = Place(file=str(file), line=error.line, column=error.column)
        return Problem(message=error.message, place=place, hint=error.hint or None)
    hint = error.hint
    if error.missing or error.is_directory:
        hint = "name the manifest with `-f FILE`"
    return Problem(message=error.message, path=str(file), hint=hint or None)
