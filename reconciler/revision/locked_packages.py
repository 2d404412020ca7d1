"""All packages of a lock, for every interpreter and platform, because it is not known which of them a host has."""

from collections.abc import Iterator
from dataclasses import dataclass

from packaging.pylock import Package, PackageSdist, PackageWheel
from packaging.version import Version

from reconciler.canonical_json import Json, canonical_text, digest
from reconciler.diff.source_change import host_of
from reconciler.lock.lock_file import parsed_lock
from reconciler.lock.model import Lock, LockedPackage, Source, SourceDirectory, UniversalSource
from reconciler.lock.toml_format import lock_text
from reconciler.manifest.desired import DesiredEnvironment
from reconciler.manifest.input_files import InputFiles
from reconciler.revision.tracked_files import ListTrackedFiles, source_content


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """Reads the local directories of one side of the comparison: a revision, or the working tree."""

    files: InputFiles
    tracked: ListTrackedFiles


def universal_packages(lock: Lock, environment: DesiredEnvironment, sources: Sources) -> tuple[LockedPackage, ...]:
    """Return one package for each name, sorted. If markers choose between versions, it has all of them: `1.0 | 2.0`.

    The sources of two packages are equal exactly if any host gets the same: index, files, hashes and markers.
    """
    parsed = lock.parsed or parsed_lock(lock_text(lock.document))
    named: dict[str, list[Package]] = {}
    for each in parsed.pylock.packages:
        named.setdefault(str(each.name), []).append(each)
    return tuple(_package(name, named[name], lock, environment, sources) for name in sorted(named))


def _package(
    name: str, entries: list[Package], lock: Lock, environment: DesiredEnvironment, sources: Sources
) -> LockedPackage:
    versions = {each.version for each in entries if each.version is not None}
    version = " | ".join(str(each) for each in sorted(versions)) or None
    first, *others = entries
    directory = first.directory
    source: Source
    if directory is None or others:
        facts = sorted((_facts(each) for each in entries), key=digest)
        source = UniversalSource(
            location="",
            subdirectory="",
            sha256=digest(facts),
            hosts=tuple(sorted({host for each in entries for host in _hosts(each)})),
            files=tuple(sorted({file for each in entries for file in _hashes(each)})),
            publishers=tuple(sorted({text for each in entries for text in _publishers(each)})),
        )
    else:
        place = sources.files.real(lock.path.parent / directory.path)
        project = environment.project if environment.project and environment.project.path == place else None
        version = version or (project.version if project else None)
        editable = bool(directory.editable)
        if project and editable and project.static:
            content = project.metadata_digest
        else:  # dynamic metadata may be read from any file
            only_metadata = editable and project is None
            content = source_content(place, sources.tracked(place), locks=lock.path.parent, editable=only_metadata)
        source = SourceDirectory(path=directory.path, editable=editable, content=content)
    return LockedPackage(name=name, version=version, source=source)


def _facts(package: Package) -> dict[str, Json]:
    """Return everything that decides which bytes a host installs."""
    vcs, archive, directory = package.vcs, package.archive, package.directory
    return {
        "version": str(package.version) if isinstance(package.version, Version) else None,
        "marker": str(package.marker) if package.marker else None,
        "index": package.index,
        "vcs": [vcs.type, vcs.url or vcs.path, vcs.commit_id, vcs.subdirectory] if vcs else None,
        "archive": [archive.url or archive.path, dict(archive.hashes), archive.subdirectory] if archive else None,
        "directory": [directory.path, bool(directory.editable)] if directory else None,
        "files": list[Json](sorted(_file(each) for each in _files(package))),
    }


def _file(file: PackageWheel | PackageSdist) -> str:
    return " ".join([file.filename, *(f"{name}={file.hashes[name]}" for name in sorted(file.hashes))])


def _files(package: Package) -> list[PackageWheel | PackageSdist]:
    return [*(package.wheels or ()), *([package.sdist] if package.sdist else ())]


def _hosts(package: Package) -> Iterator[str]:
    """Yield the hosts of a package's index, files, archive and repository."""
    if package.index is not None:
        yield host_of(package.index)
    for each in (*_files(package), package.archive, package.vcs):
        if each is not None:
            yield host_of(each.url or "")


def _hashes(package: Package) -> Iterator[tuple[str, str]]:
    """Yield the name and the hashes of each file."""
    for each in _files(package):
        yield each.filename, " ".join(f"{name}={each.hashes[name]}" for name in sorted(each.hashes))
    if (archive := package.archive) is not None:
        place = archive.url or archive.path or ""
        yield place, " ".join(f"{name}={archive.hashes[name]}" for name in sorted(archive.hashes))


def _publishers(package: Package) -> Iterator[str]:
    for each in package.attestation_identities or ():
        yield canonical_text(each)
