"""Reads the local project that an environment installs (the key `project`): its pyproject.toml and build files."""

import os
from collections.abc import Callable, Collection, Sequence
from pathlib import Path

from packaging.utils import canonicalize_name

from reconciler.backticks import in_backticks
from reconciler.canonical_json import digest
from reconciler.manifest.desired import LocalProject
from reconciler.manifest.hints import known_names_hint
from reconciler.manifest.input_files import BUILD_FILES, InputFiles
from reconciler.manifest.invalid_text import InvalidTextError
from reconciler.manifest.pyproject import Pyproject, parse_pyproject
from reconciler.manifest.setup_cfg import parse_setup_cfg
from reconciler.manifest.source_text import unquoted_error
from reconciler.manifest.text_file import UnreadableFileError

ReportError = Callable[[InvalidTextError, tuple[str | int, ...]], None]


def read_local_project(
    path: str,
    *,
    editable: bool,
    extras: Sequence[str],
    groups: Sequence[str],
    directory: Path,
    files: InputFiles,
    report: ReportError,
    has_lock: bool,
) -> LocalProject | None:
    """Return the project in `directory / path`, or None after passing every error to `report`.

    If it `has_lock`, a lock of another tool has its requirements and knows which extras and groups exist.
    `report` is called with an error and the key path below `project` that it belongs to (`("extras", 0)`). Names must
    be normalized already.
    """
    project_directory = Path(os.path.normpath(directory.absolute() / path))
    relative = Path(os.path.relpath(project_directory, directory.absolute())).as_posix()
    try:
        files.require(project_directory, is_project=True)
    except UnreadableFileError as error:
        report(error.invalid_text(path), ("path",))
        return None
    if not files.is_directory(project_directory):
        hint = "correct the path: it is relative to the manifest"
        report(InvalidTextError(f"no such directory: {in_backticks(path)}", hint=hint), ("path",))
        return None
    try:
        pyproject, build_files, quotable = _read(project_directory, files)
    except InvalidTextError as error:
        report(error, ("path",))
        return None
    unknown = (
        []
        if has_lock
        else [
            *_unknown_names(
                "extras", extras, pyproject.extras if pyproject.extras_are_static else extras, noun="extra"
            ),
            *_unknown_names("groups", groups, pyproject.groups, noun="dependency group"),
        ]
    )
    for problem, key in unknown:
        problem.hint = problem.hint if quotable else ""  # it lists names of the file
        report(problem, key)
    if unknown:
        return None
    try:
        requirements = () if has_lock else pyproject.requirements(extras, groups)
    except InvalidTextError as error:
        shown = InvalidTextError(f"pyproject.toml: {error.message}", hint=error.hint)
        report(shown if quotable else unquoted_error("pyproject.toml"), ("path",))
        return None
    needed = {"dependencies", "version", *(("optional-dependencies",) if extras else ())}
    static = pyproject.static and not needed & pyproject.dynamic
    return LocalProject(
        path=files.real(project_directory),
        relative=relative,
        name=canonicalize_name(pyproject.name),
        version=pyproject.version,
        editable=editable,
        extras=tuple(sorted(set(extras))),
        groups=tuple(sorted(set(groups))),
        requirements=requirements,
        static=static,
        metadata_digest=pyproject.digest if static else digest(build_files),
    )


def _read(directory: Path, files: InputFiles) -> tuple[Pyproject, dict[str, str], bool]:
    """Return the project's pyproject.toml (an empty one if it has none), and the SHA-256 of its build files by name.

    The third value says whether errors may show text of the build files.
    """
    quotable = True
    texts: dict[str, str] = {}
    digests: dict[str, str] = {}
    for name in BUILD_FILES:
        try:
            content = files.text(directory / name)
        except UnreadableFileError as error:
            if not error.missing:
                raise error.invalid_text(name) from error
        else:
            texts[name], digests[name] = content.text, content.sha256
            quotable = quotable and content.quotable
    if not texts:
        message = "not a Python project: the directory has no `pyproject.toml`, `setup.py` or `setup.cfg`"
        raise InvalidTextError(message, hint="write the path of the project's directory")
    try:
        pyproject = parse_pyproject(
            texts.get("pyproject.toml", ""), fallback_name=_setup_name(texts.get("setup.cfg", ""))
        )
    except InvalidTextError as error:
        if not quotable:
            raise unquoted_error("pyproject.toml") from error
        raise InvalidTextError(f"pyproject.toml: {error.message}", hint=error.hint) from error
    return pyproject, digests, quotable


def _setup_name(text: str) -> str:
    """Return the literal name in a setup.cfg, or an empty string: only setuptools can evaluate the other forms."""
    name = parse_setup_cfg(text).get("metadata", "name", fallback="").strip()
    return "" if name.startswith(("attr:", "file:")) else name


def _unknown_names(
    key: str, names: Sequence[str], known: Collection[str], *, noun: str
) -> list[tuple[InvalidTextError, tuple[str | int, ...]]]:
    return [
        (
            InvalidTextError(
                f"no {noun} named `{name}` in `pyproject.toml`", hint=known_names_hint(name, known, noun=f"{noun}s")
            ),
            (key, at),
        )
        for at, name in enumerate(names)
        if name not in known
    ]
