"""The local project that an environment installs: the manifest's `project` and the files it stands for."""

import configparser
import os
from collections.abc import Callable, Sequence
from pathlib import Path

from packaging.utils import canonicalize_name

from reconciler.canonical_json import digest
from reconciler.manifest.desired import LocalProject
from reconciler.manifest.hints import one_of
from reconciler.manifest.input_files import InputFiles
from reconciler.manifest.pyproject import Pyproject, parse_pyproject
from reconciler.manifest.refusal import RefusedError
from reconciler.manifest.text_file import UnreadableFileError

_BUILD_FILES = ("pyproject.toml", "setup.cfg", "setup.py")

Refuse = Callable[[RefusedError, tuple[str | int, ...]], None]


def read_project(
    path: str,
    *,
    editable: bool,
    extras: Sequence[str],
    groups: Sequence[str],
    directory: Path,
    files: InputFiles,
    refuse: Refuse,
) -> LocalProject | None:
    """Return the project in `directory / path`, or None once all that is wrong went to `refuse`.

    `refuse` is given what is wrong and the key below `project` that it is about (`("extras", 0)`). Names are
    normalized already.
    """
    place = Path(os.path.normpath(directory.absolute() / path))
    relative = Path(os.path.relpath(place, directory.absolute())).as_posix()
    if not files.is_directory(place):
        refuse(RefusedError(f"no such directory: {path}", hint="paths are relative to the manifest"), ("path",))
        return None
    try:
        pyproject, build_files = _read(place, files)
    except RefusedError as refusal:
        refuse(refusal, ("path",))
        return None
    wrong = [*_unknown_extras(pyproject, extras), *_unknown_groups(pyproject, groups)]
    for what, key in wrong:
        refuse(what, key)
    if wrong:
        return None
    try:
        requirements = pyproject.requirements(extras, groups)
    except RefusedError as refusal:
        refuse(RefusedError(f"pyproject.toml: {refusal.message}", hint=refusal.hint), ("path",))
        return None
    left_to_build = {"dependencies", "version", *(("optional-dependencies",) if extras else ())} & pyproject.dynamic
    static = pyproject.static and not left_to_build
    return LocalProject(
        path=files.real(place),
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


def _read(place: Path, files: InputFiles) -> tuple[Pyproject, dict[str, str]]:
    """Return the project's pyproject.toml (an empty one if it has none), and its build files with their SHA-256."""
    texts: dict[str, str] = {}
    digests: dict[str, str] = {}
    for name in _BUILD_FILES:
        try:
            content = files.text(place / name)
        except UnreadableFileError as error:
            if not error.missing:
                raise error.refused(name) from error
        else:
            texts[name], digests[name] = content.text, content.sha256
    if not texts:
        raise RefusedError("no project there", hint="it has no pyproject.toml, setup.py or setup.cfg")
    try:
        pyproject = parse_pyproject(
            texts.get("pyproject.toml", ""), fallback_name=_setup_name(texts.get("setup.cfg", ""))
        )
    except RefusedError as refusal:
        raise RefusedError(f"pyproject.toml: {refusal.message}") from refusal
    return pyproject, digests


def _setup_name(text: str) -> str:
    """Return the name that a setup.cfg states, or empty: only setuptools itself knows all that it can say."""
    parser = configparser.ConfigParser(interpolation=None, strict=False)
    try:
        parser.read_string(text)
    except configparser.Error:
        return ""
    name = parser.get("metadata", "name", fallback="").strip()
    return "" if name.startswith(("attr:", "file:")) else name


def _unknown_extras(pyproject: Pyproject, extras: Sequence[str]) -> list[tuple[RefusedError, tuple[str | int, ...]]]:
    if not pyproject.static or "optional-dependencies" in pyproject.dynamic:
        return []  # only a build tells
    return [
        (
            RefusedError(f"no extra `{extra}` in pyproject.toml", hint=one_of(extra, pyproject.extras, noun="extras")),
            ("extras", at),
        )
        for at, extra in enumerate(extras)
        if extra not in pyproject.extras
    ]


def _unknown_groups(pyproject: Pyproject, groups: Sequence[str]) -> list[tuple[RefusedError, tuple[str | int, ...]]]:
    return [
        (
            RefusedError(
                f"no dependency group `{group}` in pyproject.toml",
                hint=one_of(group, pyproject.groups, noun="dependency groups"),
            ),
            ("groups", at),
        )
        for at, group in enumerate(groups)
        if group not in pyproject.groups
    ]
