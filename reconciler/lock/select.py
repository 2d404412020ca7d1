"""Selects the packages of a lock for one interpreter, by the algorithm of PEP 751 in `packaging.pylock`.

What it leaves open, the order of equal wheels and of platforms, is in `reconciler.lock.wheel_order`.
"""

from pathlib import Path
from typing import cast

from packaging.markers import Environment, UndefinedComparison, UndefinedEnvironmentName
from packaging.pylock import (
    Package,
    PackageArchive,
    PackageDirectory,
    PackageSdist,
    PackageVcs,
    PackageWheel,
    Pylock,
    PylockSelectError,
)

from reconciler.errors import LockError
from reconciler.interpreters.model import Interpreter
from reconciler.lock.lock_file import parsed_lock
from reconciler.lock.model import (
    ArchiveFile,
    Artifact,
    IndexFile,
    Lock,
    LockedPackage,
    Selected,
    Source,
    SourceDirectory,
    VcsCommit,
)
from reconciler.lock.source_digests import content_digest, metadata_digest
from reconciler.lock.toml_format import lock_text
from reconciler.lock.wheel_order import tags_in_order, wheels_in_order
from reconciler.manifest.desired import DesiredEnvironment
from reconciler.state.generated_files import GeneratedFiles


def select_packages(
    lock: Lock,
    environment: DesiredEnvironment,
    interpreter: Interpreter,
    generated: GeneratedFiles,
) -> tuple[LockedPackage, ...]:
    """Return what `lock` selects for `interpreter`, sorted by name; `generated` files do not count as sources.

    Raises LockError if no file of a package fits, or if it would have to be built although `builds` denies that.
    """
    selected = []
    for package, artifact in select_artifacts(lock, interpreter):
        if not isinstance(artifact, PackageWheel):
            _refuse_build(environment, package, artifact, lock)
        selected.append(
            LockedPackage(
                name=package.name,
                version=str(package.version) if package.version else _static_version(environment, package, lock),
                source=_source(package, artifact, lock, generated),
            )
        )
    return tuple(sorted(selected, key=lambda each: each.name))


def select_artifacts(lock: Lock, interpreter: Interpreter) -> Selected:
    """Return the selection as PEP 751 defines it; of several wheels, it has the one that uv and pip choose.

    Raises LockError if no file fits this interpreter.
    """
    parsed = lock.parsed or parsed_lock(lock_text(lock.document))
    key = (interpreter.tags, tuple(interpreter.markers.items()))
    found = parsed.selections.get(key)
    if found is None:
        found = parsed.selections[key] = _select(parsed.pylock, lock, interpreter)
    return found


def _select(pylock: Pylock, lock: Lock, interpreter: Interpreter) -> Selected:
    environment = cast("Environment", dict(interpreter.markers))
    try:
        return tuple(wheels_in_order(pylock).select(environment=environment, tags=tags_in_order(interpreter.tags)))
    except (PylockSelectError, UndefinedComparison, UndefinedEnvironmentName, KeyError) as error:
        raise LockError(  # KeyError: a marker names `extra`, and packaging is older than 26.2
            f"{lock.path.name}: no file fits Python {interpreter.version} (`{interpreter.path}`): {error}",
            hint=f"run `envsync lock --upgrade {lock.environment}` to look for a version that has a wheel for it, "
            "or require a different version",
        ) from error


def artifact_directory(lock: Lock, artifact: PackageDirectory) -> Path:
    """Return the absolute path of a directory; in a lock it is relative to the lock."""
    return (lock.path.parent / artifact.path).resolve()


def editable_directories(lock: Lock, interpreter: Interpreter) -> dict[str, str]:
    """Return by package name the absolute directories, without symbolic links, of the selected editable packages."""
    return {
        package.name: str(artifact_directory(lock, artifact))
        for package, artifact in select_artifacts(lock, interpreter)
        if isinstance(artifact, PackageDirectory) and artifact.editable
    }


def local_places(lock: Lock, interpreter: Interpreter) -> dict[str, str]:
    """Return by package name the absolute paths, without symbolic links, of the selected directories and archives."""
    found = {}
    for package, artifact in select_artifacts(lock, interpreter):
        if isinstance(artifact, PackageDirectory | PackageArchive) and artifact.path is not None:
            found[str(package.name)] = str((lock.path.parent / artifact.path).resolve())
    return found


def _source(package: Package, artifact: Artifact, lock: Lock, generated: GeneratedFiles) -> Source:
    match artifact:
        case PackageWheel() | PackageSdist():
            return IndexFile(
                index=package.index or "", filename=artifact.filename, sha256=_sha256(package, artifact.hashes)
            )
        case PackageArchive():
            return ArchiveFile(
                location=artifact.url or artifact.path or "",
                sha256=_sha256(package, artifact.hashes),
                subdirectory=artifact.subdirectory or "",
            )
        case PackageVcs():
            return VcsCommit(
                vcs=artifact.type,
                url=artifact.url or artifact.path or "",
                commit=artifact.commit_id,
                subdirectory=artifact.subdirectory or "",
            )
        case PackageDirectory():
            editable = bool(artifact.editable)
            directory = artifact_directory(lock, artifact)
            content = (
                metadata_digest(directory, generated)
                if editable
                else content_digest(directory, generated, locks=lock.path.parent)
            )
            return SourceDirectory(path=artifact.path, editable=editable, content=content)


def _sha256(package: Package, hashes: object) -> str:
    """Return the SHA-256 in a `hashes` table (PEP 751); raises LockError if there is none."""
    found = hashes.get("sha256") if isinstance(hashes, dict) else None
    if not isinstance(found, str):
        raise LockError(f"the lock has no `sha256` for `{package.name}`", hint="delete the lock and run `envsync lock`")
    return found


def _static_version(environment: DesiredEnvironment, package: Package, lock: Lock) -> str | None:
    """Return the version in a local project's static metadata; a lock does not have it (PEP 751)."""
    project = environment.project
    if project is None or package.directory is None or artifact_directory(lock, package.directory) != project.path:
        return None
    return project.version


def _refuse_build(environment: DesiredEnvironment, package: Package, artifact: Artifact, lock: Lock) -> None:
    """Raise LockError if installing `artifact` requires a build and the manifest denies that."""
    builds = environment.builds
    is_wheel = isinstance(artifact, PackageArchive) and (artifact.url or artifact.path or "").endswith(".whl")
    if builds == "allow" or is_wheel or (isinstance(builds, tuple) and package.name in builds):
        return
    raise LockError(
        f"{lock.path.name}: `{package.name}` has no wheel for this interpreter, and `builds` denies building it",
        hint=f"allow it with `builds: [{package.name}]`, or require a version that has a wheel",
    )
