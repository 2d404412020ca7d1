"""Reads one distribution from its metadata directory or file; what is odd about it becomes findings."""

import hashlib
import os
import re
from dataclasses import dataclass, field

from reconciler.fs.read import read_inside
from reconciler.observe.actual import Distribution, Finding, FindingCode, InstalledFrom
from reconciler.observe.metadata import Identity, normalized, read_identity
from reconciler.observe.record import is_record
from reconciler.observe.versions import is_version, same_version

_PEP_508_NAME = re.compile(r"^([A-Z0-9]|[A-Z0-9][A-Z0-9._-]*[A-Z0-9])$", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A metadata directory or file that may be a distribution: `path` absolute, `place` and `top` as they are reported.

    `top` is the directory that no symlink may lead out of; `holder` is what holds its modules.
    """

    path: str
    place: str
    top: str
    holder: str
    inside: bool = True

    @property
    def name(self) -> str:
        """Return the directory's or file's own name."""
        return self.path.rpartition("/")[2]

    @property
    def named(self) -> tuple[str, str]:
        """Return the distribution's name and version as the directory's name has them; both may be empty.

        A dist-info's without a dash says nothing; an egg-info's version is not believed (it may be mangled).
        """
        stem, _, suffix = self.name.rpartition(".")
        name, dash, version = stem.partition("-")
        if suffix == "dist-info":
            return (name, version) if dash else ("", "")
        return (name, "") if suffix == "egg-info" else ("", "")


@dataclass(slots=True)
class Reading:
    """What reading one candidate gave: the distribution, or None where pip sees none either, and findings.

    `key` is the normalized name that pip tells duplicates by.
    """

    candidate: Candidate
    key: str = ""
    distribution: Distribution | None = None
    findings: list[Finding] = field(default_factory=list)

    def add(self, code: FindingCode, detail: str, *, file: str = "", content: bytes | None = None) -> None:
        """Add a finding about the candidate, or about a file in it; `content` is what is there."""
        place = f"{self.candidate.place}/{file}" if file and self.candidate.inside else self.candidate.place
        sha256 = hashlib.sha256(content).hexdigest() if content is not None else ""
        self.findings.append(Finding(code=code, path=place, package=self.key, detail=detail, content=sha256))


def read_distribution(candidate: Candidate, *, sealed: bool = False) -> Reading:
    """Read `candidate` as pip would; never raises for what is on disk. The RECORD of what is `sealed` is not read."""
    reading = Reading(candidate)
    named, named_version = candidate.named
    reading.key = normalized(named)
    files = _listing(reading)
    identity = _identity(reading, files)
    name = identity.name if identity.name is not None else reading.key
    reading.key = reading.key or normalized(name.strip())
    version = identity.version or named_version or _version_in_file_name(candidate)
    if not _PEP_508_NAME.match(reading.key):
        reading.add(FindingCode.INVALID_METADATA, "it has no name that a package can have")
        return reading
    if not version:
        if not reading.findings:
            reading.add(FindingCode.INVALID_METADATA, "it has no version")
    elif not is_version(named_version or version):
        reading.add(FindingCode.INVALID_VERSION, f"{named_version or version} is no version (PEP 440)")
    elif identity.version and named_version and not same_version(identity.version, named_version):
        detail = f"its METADATA says version {identity.version}, its directory {named_version}"
        reading.add(FindingCode.INVALID_METADATA, detail)
    origin, editable = _origin(reading, files)
    _check_record(reading, files, sealed=sealed)
    reading.distribution = Distribution(
        key=normalized(name.strip()),
        name=name,
        version=version,
        origin=origin,
        place=candidate.place,
        location=editable or candidate.holder,
        installer=_installer(reading, files),
        named_version=named_version,
    )
    return reading


def _listing(reading: Reading) -> frozenset[str] | None:
    """Return the names in the metadata directory; None where the candidate is a file."""
    candidate = reading.candidate
    try:
        if os.path.islink(candidate.path):  # noqa: PTH114
            real, top = os.path.realpath(candidate.path), os.path.realpath(candidate.top)
            if not real.startswith(top + "/"):
                reading.add(FindingCode.UNREADABLE, "a symbolic link that leads out of the environment")
                return frozenset()
        return frozenset(os.listdir(candidate.path))
    except NotADirectoryError:
        return None
    except OSError as error:
        reading.add(FindingCode.UNREADABLE, f"could not be read: {error.strerror}")
        return frozenset()


def _read(reading: Reading, file: str) -> bytes | None:
    """Return a metadata file's content, None (and a finding) where it cannot be read."""
    path = f"{reading.candidate.path}/{file}" if file else reading.candidate.path
    try:
        return read_inside(path, reading.candidate.top)
    except OSError as error:
        reading.add(FindingCode.UNREADABLE, f"{file or 'it'} could not be read: {error.strerror}", file=file)
        return None


def _identity(reading: Reading, files: frozenset[str] | None) -> Identity:
    """Return name and version from METADATA, else PKG-INFO, else the candidate itself where it is a file."""
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
    """Return where it came from and, for an editable, its project's directory. A bad direct_url.json is none."""
    content = _read(reading, "direct_url.json") if files and "direct_url.json" in files else None
    if content is None:
        return InstalledFrom(), ""
    from reconciler.observe.direct_url import parse_direct_url  # json is slow to import, most come from an index

    try:
        return parse_direct_url(content)
    except ValueError as error:
        reading.add(FindingCode.BAD_DIRECT_URL, f"direct_url.json: {error}", file="direct_url.json", content=content)
        return InstalledFrom(), ""


def _check_record(reading: Reading, files: frozenset[str] | None, *, sealed: bool) -> None:
    """Find a RECORD that is missing or does not parse; only a dist-info has one."""
    if files is None or not reading.candidate.name.endswith(".dist-info"):
        return
    if "RECORD" not in files:
        reading.add(FindingCode.MISSING_RECORD, "RECORD is missing: nothing tells which files are its own")
        return
    content = None if sealed else _read(reading, "RECORD")
    if content is None:
        return
    try:
        good = is_record(content.decode("utf-8"))
    except UnicodeDecodeError:
        good = False
    if not good:
        reading.add(FindingCode.BAD_RECORD, "RECORD does not parse", file="RECORD", content=content)


def _installer(reading: Reading, files: frozenset[str] | None) -> str:
    content = _read(reading, "INSTALLER") if files and "INSTALLER" in files else None
    return (content or b"").decode("utf-8", "replace").strip().partition("\n")[0]


def _version_in_file_name(candidate: Candidate) -> str:
    """Return the version in an egg-info's name (`acme-1.0-py3.8.egg-info`), for where nothing else tells it."""
    parts = candidate.name.rpartition(".")[0].split("-")
    return parts[1] if len(parts) > 1 and candidate.name.endswith(".egg-info") else ""
