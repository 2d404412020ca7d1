"""All that a lock has, for every interpreter and platform at once: nobody here knows which of them a host is."""

from dataclasses import dataclass

from packaging.pylock import Package, PackageSdist, PackageWheel
from packaging.version import Version

from reconciler.canonical_json import Json, digest
from reconciler.lock.model import ArchiveFile, Lock, LockedPackage, Source, SourceDirectory
from reconciler.lock.parsed import parsed_lock
from reconciler.lock.toml_format import lock_text
from reconciler.manifest.desired import DesiredEnvironment
from reconciler.manifest.input_files import InputFiles
from reconciler.revision.tracked_files import TrackedBelow, source_content


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """Where one side's local directories are: in a revision, or in the work tree."""

    files: InputFiles
    tracked: TrackedBelow


def universal_packages(lock: Lock, environment: DesiredEnvironment, sources: Sources) -> tuple[LockedPackage, ...]:
    """Return one package a name, sorted: where markers choose between several, `1.0 | 2.0`.

    Its source is equal exactly when everything is that a host may get: index, files, hashes, markers.
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
        source = ArchiveFile(location="", sha256=digest(facts))
    else:
        place = sources.files.real(lock.path.parent / directory.path)
        project = environment.project if environment.project and environment.project.path == place else None
        version = version or (project.version if project else None)
        editable = bool(directory.editable)
        if project and editable:
            content = project.metadata_digest
        else:
            content = source_content(place, sources.tracked(place), locks=lock.path.parent, editable=editable)
        source = SourceDirectory(path=directory.path, editable=editable, content=content)
    return LockedPackage(name=name, version=version, source=source)


def _facts(package: Package) -> dict[str, Json]:
    """Return what decides which bytes a host gets; not from which of an index's mirrors."""
    vcs, archive, directory = package.vcs, package.archive, package.directory
    files = [*(package.wheels or ()), *([package.sdist] if package.sdist else ())]
    return {
        "version": str(package.version) if isinstance(package.version, Version) else None,
        "marker": str(package.marker) if package.marker else None,
        "index": package.index,
        "vcs": [vcs.type, vcs.url or vcs.path, vcs.commit_id, vcs.subdirectory] if vcs else None,
        "archive": [archive.url or archive.path, dict(archive.hashes), archive.subdirectory] if archive else None,
        "directory": [directory.path, bool(directory.editable)] if directory else None,
        "files": list[Json](sorted(_file(each) for each in files)),
    }


def _file(file: PackageWheel | PackageSdist) -> str:
    return " ".join([file.filename, *(f"{name}={file.hashes[name]}" for name in sorted(file.hashes))])
