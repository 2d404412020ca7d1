"""Finds the files that the builds of editable projects write into the source trees.

An editable project is built in its own directory, so its hooks may write modules there. Such a file is a result only if
the build itself makes it: another build, from a copy in which the file is empty, must make it again with the same
contents. Otherwise a user may have changed it during the build, or a build keeps what is there. It counts as a source.
"""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

from packaging.pylock import PackageDirectory

from reconciler.engines.engine import Engine, InstallRequest
from reconciler.errors import EngineError, LockError
from reconciler.interpreters.model import Interpreter
from reconciler.lock.build_copy import copy_for_build
from reconciler.lock.build_inputs import read_build_inputs
from reconciler.lock.file_digests import file_state
from reconciler.lock.install_document import install_document
from reconciler.lock.model import Lock, Selected
from reconciler.lock.select import artifact_directory
from reconciler.lock.source_files import source_files
from reconciler.lock.toml_format import lock_text
from reconciler.processes.scratch import scratch_directory
from reconciler.state.generated_files import read_generated_files, write_generated_files
from reconciler.state.layout import Layout

_LARGEST_BYTES = 16 * 1024 * 1024  # a larger file is hardly a module that a hook writes, and takes long to read
_EMPTY = hashlib.sha256(b"").hexdigest()


@contextmanager
def find_generated_files(
    lock: Lock, selected: Selected, request: InstallRequest, interpreter: Interpreter, *, engine: Engine, layout: Layout
) -> Iterator[None]:
    """Record the files that the install in the block writes into the directories of editable projects.

    A project is built again, as in `request`, only if the install wrote a file that is not recorded. Raises LockError
    if a directory cannot be read.
    """

    def build_copy(directory: Path, copy: Path, scratch: Path) -> None:
        document = install_document(lock, (projects[directory],), {directory: copy})
        again = replace(
            request, venv=scratch / "venv", pylock=scratch / "pylock.toml", compile_bytecode=False, refresh=()
        )
        again.pylock.write_text(lock_text(document), encoding="utf-8")
        engine.create(again.venv, interpreter, system_site_packages=False, prompt="copy")
        engine.install(again)

    projects = {
        artifact_directory(lock, artifact): (package, artifact)
        for package, artifact in selected
        if isinstance(artifact, PackageDirectory) and artifact.editable
    }
    locks = lock.path.parent  # those of other environments are written meanwhile
    before = {each: _states(each, locks) for each in projects if _may_write(each)}
    yield
    known = read_generated_files(layout)
    for directory, earlier in before.items():
        states = _states(directory, locks)
        written = [name for name, state in states.items() if earlier.get(name) != state]
        if any(known.get(f"{directory}/{name}") != states[name] for name in written):
            with scratch_directory("source") as scratch:
                made = _made_again(directory, {name: states[name] for name in written}, scratch, build_copy)
            again = {name for name in written if made.get(name) == states[name]}
            found = {f"{directory}/{name}": states[name] if name in again else None for name in written}
            write_generated_files(layout, found)


def _may_write(directory: Path) -> bool:
    """Return whether code takes part in a build that may write any file: of the project, or of a plugin."""
    inputs = read_build_inputs(directory)
    system = inputs.tables.get("build-system")
    required = system.get("requires", ()) if isinstance(system, dict) else ()
    return not inputs.declarative or inputs.metadata_from is None or len(required) > 1


def _states(directory: Path, locks: Path) -> dict[str, str]:
    """Return the state of each regular source file of a project, without large ones and those that never count."""
    found = {}
    for name in frozenset(source_files(directory, locks=locks)) - read_build_inputs(directory).generated:
        path = directory / name
        with suppress(FileNotFoundError):  # deleted in the meantime
            if not path.is_symlink() and path.stat().st_size <= _LARGEST_BYTES:
                found[name] = file_state(path)
    return found


def _made_again(
    directory: Path, written: Mapping[str, str], scratch: Path, build_copy: Callable[[Path, Path, Path], None]
) -> Mapping[str, str]:
    """Return the state of each file of `written` after a build in a copy; none if that build fails.

    Before it, the files are empty there, or have an empty line if an empty file was written.
    """
    with suppress(EngineError, LockError, OSError):
        place = scratch / "copy"
        place.mkdir()
        copy = copy_for_build(directory, place)
        for name, state in written.items():
            (copy / name).unlink(missing_ok=True)
            (copy / name).write_bytes(b"\n" if state.endswith(_EMPTY) else b"")
        build_copy(directory, copy, scratch)
        return {name: file_state(copy / name) for name in written if (copy / name).is_file()}
    return {}
