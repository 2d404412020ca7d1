"""Reads one distribution from its metadata directory or file; every problem with it becomes a finding."""

import hashlib
import os
import re
from dataclasses import dataclass, field

from reconciler.backticks import in_backticks
from reconciler.fs.read import read_inside
from reconciler.observe.actual import Distribution, Finding, FindingCode, InstalledFrom
from reconciler.observe.metadata import Identity, normalized, read_identity
from reconciler.observe.record_file import is_valid_record, recorded_paths
from reconciler.versions import is_version, same_version

_PEP_508_NAME = re.compile(r"^([A-Z0-9]|[A-Z0-9][A-Z0-9._-]*[A-Z0-9])$", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A metadata directory or file that may belong to a distribution.

    `path` is absolute, `place` is the path in findings. No symbolic link may point out of the directory `boundary`.
    `location` is the directory of the modules. `inside` means that `path` is inside the environment.
    """

    path: str
    place: str
    boundary: str
    location: str
    inside: bool = True

    @property
    def name(self) -> str:
        """Return the directory's or file's own name."""
        return self.path.rpartition("/")[2]

    @property
    def named(self) -> tuple[str, str]:
        """Return the distribution's name and version from the directory's name; both may be empty.

        They are empty for a dist-info without a dash. The version of an egg-info is left out, as it may be mangled.
        """
        stem, _, suffix = self.name.rpartition(".")
        name, dash, version = stem.partition("-")
        if suffix == "dist-info":
            return (name, version) if dash else ("", "")
        return (name, "") if suffix == "egg-info" else ("", "")


@dataclass(slots=True)
class Reading:
    """The result of reading one candidate: the distribution, None if pip finds none either, and findings.

    `key` is the normalized name by which pip recognizes duplicates.
    """

    candidate: Candidate
    key: str = ""
    distribution: Distribution | None = None
    findings: list[Finding] = field(default_factory=list)

    def add(self, code: FindingCode, detail: str, *, file: str = "", content: bytes | None = None) -> None:
        """Add a finding about the candidate or a `file` in it, whose contents are `content`."""
        place = f"{self.candidate.place}/{file}" if file and self.candidate.inside else self.candidate.place
        sha256 = hashlib.sha256(content).hexdigest() if content is not None else ""
        self.findings.append(Finding(code=code, path=place, package=self.key, detail=detail, content=sha256))


def read_distribution(candidate: Candidate, *, sealed: bool) -> Reading:
    """Return what pip would read from `candidate`; never raises for files on disk.

    In a `sealed` environment the contents of RECORD are not read.
    """
    reading = Reading(candidate)
    named, named_version = candidate.named
    reading.key = normalized(named)
    files = _listing(reading)
    identity = _identity(reading, files)
    name = identity.name if identity.name is not None else reading.key
    reading.key = reading.key or normalized(name.strip())
    version = identity.version or named_version or _version_in_file_name(candidate)
    if not _PEP_508_NAME.match(reading.key):
        reading.add(FindingCode.INVALID_METADATA, "it has no valid package name")
        return reading
    if version and not is_version(named_version or version):  # a missing one is a finding of `_identity`
        reading.add(
            FindingCode.INVALID_VERSION, f"{in_backticks(named_version or version)} is not a valid version (PEP 440)"
        )
    elif identity.version and named_version and not same_version(identity.version, named_version):
        detail = f"its version is {identity.version} in METADATA and {named_version} in the directory name"
        reading.add(FindingCode.INVALID_METADATA, detail)
    origin, editable = _origin(reading, files)
    if editable and _check_project(reading, editable):
        _check_sources(reading)
    _check_record(reading, files, sealed=sealed)
    reading.distribution = Distribution(
        key=normalized(name.strip()),
        name=name,
        version=version,
        origin=origin,
        place=candidate.place,
        location=editable or candidate.location,
        installer=_installer(reading, files),
        named_version=named_version,
    )
    return reading


METADATA_LIMIT_BYTES = 8 * 1024 * 1024  # of a file; a `METADATA` with a long description has some 100 KB


def _listing(reading: Reading) -> frozenset[str] | None:
    """Return the names in the metadata directory, None if the candidate is a file."""
    candidate = reading.candidate
    try:
        if os.path.islink(candidate.path):  # noqa: PTH114
            real, boundary = os.path.realpath(candidate.path), os.path.realpath(candidate.boundary)
            if not real.startswith(boundary + "/"):
                reading.add(FindingCode.UNREADABLE, "a symbolic link that points out of the environment")
                return frozenset()
        return frozenset(os.listdir(candidate.path))
    except NotADirectoryError:
        return None
    except OSError as error:
        reading.add(FindingCode.UNREADABLE, f"could not be read: {error.strerror}")
        return frozenset()


def _read(reading: Reading, file: str) -> bytes | None:
    """Return the contents of a metadata file; add a finding and return None if it cannot be read."""
    path = f"{reading.candidate.path}/{file}" if file else reading.candidate.path
    try:
        return read_inside(path, reading.candidate.boundary, limit=METADATA_LIMIT_BYTES)
    except OSError as error:
        reading.add(FindingCode.UNREADABLE, f"{file or 'it'} could not be read: {error.strerror}", file=file)
        return None


def _identity(reading: Reading, files: frozenset[str] | None) -> Identity:
    """Return name and version from METADATA, else from PKG-INFO; from the candidate itself if it is a file."""
    nothing = Identity(name=None, version=None)
    if files is None:
        file = ""
    else:
        file = next((each for each in ("METADATA", "PKG-INFO") if each in files), "")
        if not file:
            if not reading.findings:
                reading.add(FindingCode.MISSING_METADATA, "METADATA is missing")
            return nothing
    content = _read(reading, file)
    if content is None:
        return nothing
    if not content.strip():
        reading.add(FindingCode.EMPTY_METADATA, f"{file or 'it'} is empty", file=file, content=content)
        return nothing
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        reading.add(FindingCode.UNDECODABLE_METADATA, f"{file or 'it'} is not UTF-8", file=file, content=content)
        text = content.decode("utf-8", "replace")
    identity = read_identity(text)
    missing = [key for key, value in (("Name", identity.name), ("Version", identity.version)) if not value]
    if missing:
        detail = f"{file or 'it'} has no {' and no '.join(missing)}"
        reading.add(FindingCode.INVALID_METADATA, detail, file=file, content=content)
    return identity


def _origin(reading: Reading, files: frozenset[str] | None) -> tuple[InstalledFrom, str]:
    """Return the origin and an editable install's project directory; an invalid direct_url.json adds a finding."""
    content = _read(reading, "direct_url.json") if files and "direct_url.json" in files else None
    if content is None:
        return InstalledFrom(), ""
    from reconciler.observe.direct_url import parse_direct_url  # json is slow to import, most come from an index

    try:
        return parse_direct_url(content)
    except ValueError as error:
        detail = f"direct_url.json is invalid: {error}"
        reading.add(FindingCode.BAD_DIRECT_URL, detail, file="direct_url.json", content=content)
        return InstalledFrom(), ""


def _check_project(reading: Reading, directory: str) -> bool:
    """Return whether the project of an editable install exists; add a finding if not, because importing it fails."""
    from reconciler.lock.build_file_values import BUILD_FILES  # only editable installs need it

    code, problem = FindingCode.EDITABLE_MISSING, "contains no project"
    try:
        if not frozenset(BUILD_FILES).isdisjoint(os.listdir(directory)):
            return True
    except (FileNotFoundError, NotADirectoryError):
        problem = "does not exist"
    except OSError as error:
        code, problem = FindingCode.UNREADABLE, f"could not be read: {error.strerror}"
    reading.add(code, f"it is installed from {in_backticks(directory)}, which {problem}", file="direct_url.json")
    return False


def _check_sources(reading: Reading) -> None:
    """Add a finding for each file or directory that an editable install is imported from and that does not exist."""
    # only editable installs need it
    from reconciler.observe.editable_sources import editable_sources, is_module_without_suffix

    candidate = reading.candidate
    try:
        content = read_inside(f"{candidate.path}/RECORD", candidate.boundary)
    except OSError:
        return  # it is missing or unreadable, which is a finding of its own
    site, _, _ = candidate.path.rpartition("/")
    place, _, _ = candidate.place.rpartition("/")
    recorded = recorded_paths(content.decode("utf-8", "replace"), "")
    for path, file in editable_sources(site, candidate.boundary, recorded):
        code, problem = FindingCode.EDITABLE_MISSING, "does not exist"
        try:
            os.stat(path)  # noqa: PTH116  # no pathlib here
            continue
        except (FileNotFoundError, NotADirectoryError):
            if is_module_without_suffix(path, file):
                continue
        except (OSError, ValueError) as error:
            code, problem = FindingCode.UNREADABLE, f"could not be read: {getattr(error, 'strerror', None) or error}"
        detail = f"its modules are imported from {in_backticks(path)}, which {problem}"
        where = f"{place}/{file}" if candidate.inside else candidate.place
        reading.findings.append(Finding(code=code, path=where, package=reading.key, detail=detail))


def _check_record(reading: Reading, files: frozenset[str] | None, *, sealed: bool) -> None:
    """Add a finding if a dist-info has no RECORD, or one that cannot be parsed."""
    if files is None or not reading.candidate.name.endswith(".dist-info"):
        return
    if "RECORD" not in files:
        reading.add(FindingCode.MISSING_RECORD, "RECORD is missing, so the files of the package are unknown")
        return
    content = None if sealed else _read(reading, "RECORD")
    if content is None:
        return
    try:
        valid = is_valid_record(content.decode("utf-8"))
    except UnicodeDecodeError:
        valid = False
    if not valid:
        reading.add(FindingCode.BAD_RECORD, "RECORD could not be parsed", file="RECORD", content=content)


def _installer(reading: Reading, files: frozenset[str] | None) -> str:
    content = _read(reading, "INSTALLER") if files and "INSTALLER" in files else None
    return (content or b"").decode("utf-8", "replace").strip().partition("\n")[0].rstrip()


def _version_in_file_name(candidate: Candidate) -> str:
    """Return the version in an egg-info's name (`acme-1.0-py3.8.egg-info`), which is used if no other is known."""
    parts = candidate.name.rpartition(".")[0].split("-")
    return parts[1] if len(parts) > 1 and candidate.name.endswith(".egg-info") else ""
