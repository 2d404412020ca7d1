"""The PEP 751 document for one build: one file for each package, no markers, absolute directories."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from packaging.pylock import Package, PackageArchive, PackageDirectory, PackageSdist, PackageVcs, PackageWheel, Pylock
from packaging.version import Version

from reconciler.lock.directory_index import index_of, with_url
from reconciler.lock.model import Artifact, Lock, Selected
from reconciler.lock.select import artifact_directory


def install_document(lock: Lock, selected: Selected, copies: Mapping[Path, Path]) -> dict[str, Any]:
    """Return the document that installs `selected`, the artifacts that `select_artifacts` chose from `lock`.

    `copies` maps a source directory to the copy that is built instead of it.
    """
    packages = [_package(package, artifact, lock, copies) for package, artifact in selected]
    version = Version(str(lock.document["lock-version"]))
    return dict(Pylock(lock_version=version, created_by="envsync", packages=packages).to_dict())


def source_directories(lock: Lock, selected: Selected) -> tuple[Path, ...]:
    """Return the directories that are built from a copy: those installed from source and not editable."""
    return tuple(
        artifact_directory(lock, artifact)
        for _, artifact in selected
        if isinstance(artifact, PackageDirectory) and not artifact.editable
    )


def _package(package: Package, artifact: Artifact, lock: Lock, copies: Mapping[Path, Path]) -> Package:
    vcs = directory = archive = sdist = wheels = None
    index = package.index
    match artifact:
        case PackageWheel():
            wheels = [with_url(artifact, lock.path.parent)]
            index = index_of(index, wheels[0])
        case PackageSdist():
            sdist = with_url(artifact, lock.path.parent)
            index = index_of(index, sdist)
        case PackageVcs():
            vcs = artifact
        case PackageArchive():
            archive = _absolute_archive(artifact, lock)
        case PackageDirectory():
            place = artifact_directory(lock, artifact)
            directory = PackageDirectory(
                path=str(copies.get(place, place)), editable=artifact.editable, subdirectory=artifact.subdirectory
            )
    return Package(
        name=package.name,
        version=package.version,
        index=index,
        vcs=vcs,
        directory=directory,
        archive=archive,
        sdist=sdist,
        wheels=wheels,
    )


def _absolute_archive(archive: PackageArchive, lock: Lock) -> PackageArchive:
    """Return an archive with an absolute path; in a lock it is relative to the lock."""
    if archive.path is None:
        return archive
    return PackageArchive(
        path=str((lock.path.parent / archive.path).resolve()),
        size=archive.size,
        hashes=archive.hashes,
        subdirectory=archive.subdirectory,
    )
