"""Lists the distributions of an environment that `pip freeze --all` would list, by reading files only.

pip uses `importlib.metadata` on Python 3.11 and later, and `pkg_resources` before. These two keep a different one of
two duplicates and find legacy editable installs differently, and so does this module.
"""

import os
import re
from dataclasses import dataclass, field, replace

from reconciler.observe.actual import Distribution, Finding, FindingCode, InstalledFrom, OriginKind
from reconciler.observe.distribution import Candidate, read_distribution
from reconciler.observe.egg import EggLink, egg_link_names, read_egg_link, read_zipped_egg
from reconciler.observe.metadata import normalized
from reconciler.observe.site import Site, SiteDirectory, directories_in_pth_files

_SUFFIXES = (".dist-info", ".egg-info")
_IMPORTLIB_SINCE = 11  # Python 3.11
_UNSAFE = re.compile(r"[^A-Za-z0-9.]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """The distributions of an environment, sorted by key, and the findings about them, sorted."""

    distributions: tuple[Distribution, ...]
    findings: tuple[Finding, ...]


def list_distributions(venv: str, site: Site, *, local: bool, sealed: bool) -> Listing:
    """Return the distributions that are installed in the environment at `venv` (absolute).

    `local` leaves out distributions outside that a `.pth` file adds, as `pip freeze --local` does; it is for
    environments that use the system's site packages. In a `sealed` environment the contents of RECORD are not read.
    """
    search = _Search(venv, local=local, sealed=sealed, legacy=_minor(site.series) < _IMPORTLIB_SINCE)
    for directory in site.directories:
        names = search.listdir(directory)
        search.find_leftovers(directory, names)
        search.read(directory, names)
        for named in directories_in_pth_files(venv, directory, names):
            search.read(named, search.listdir(named) if os.path.isdir(named.path) else None)  # noqa: PTH112
    return search.listing()


def _minor(series: str) -> int:
    minor = series.partition(".")[2]
    return int(minor) if minor.isdigit() else _IMPORTLIB_SINCE


@dataclass(slots=True)
class _Search:
    """A search through the directories of the import path in order, with everything found so far.

    `seen` has the place of the distribution that was kept, by the text that pip compares to find duplicates.
    """

    venv: str
    local: bool
    sealed: bool
    legacy: bool
    found: dict[str, Distribution] = field(default_factory=dict)
    seen: dict[str, str] = field(default_factory=dict)
    searched: set[str] = field(default_factory=set)
    links: dict[str, EggLink] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)

    def listdir(self, directory: SiteDirectory) -> list[str]:
        """Return the names in a directory, in the order in which pip gets them."""
        try:
            return os.listdir(directory.path)
        except OSError as error:
            place = directory.relative or directory.named_by
            detail = f"could not be read: {error.strerror}"
            self.findings.append(Finding(code=FindingCode.UNREADABLE, path=place, detail=detail))
            return []

    def find_leftovers(self, directory: SiteDirectory, names: list[str]) -> None:
        """Add a finding for each entry that an interrupted pip uninstall left: its name begins with a tilde."""
        detail = "left by an interrupted uninstall; it can be deleted"
        self.findings += [
            Finding(code=FindingCode.LEFTOVER, path=f"{directory.relative}/{name}", detail=detail)
            for name in names
            if name.startswith("~")
        ]

    def read(self, directory: SiteDirectory, names: list[str] | None) -> None:
        """Read the distributions in one directory of the import path; `names` is None for a zipped egg."""
        if directory.path in self.searched:
            return
        self.searched.add(directory.path)
        if names is None:
            self._read_zipped_egg(directory)
            return
        self._read_directory(directory, names, directory.relative)
        for name in names:
            if name.endswith(".egg-link"):
                link, finding = read_egg_link(self.venv, directory, name)
                self.links.setdefault(name, link)
                self.findings.append(finding)
                if not self.legacy and link.target and os.path.isdir(link.target):  # noqa: PTH112
                    self._read_egg_link_target(link)

    def _read_egg_link_target(self, link: EggLink) -> None:
        target = SiteDirectory(path=link.target, relative="", named_by=link.place)
        self._read_directory(target, self.listdir(target), "", always=True)

    def _read_directory(
        self, directory: SiteDirectory, names: list[str], relative: str, *, always: bool = False
    ) -> None:
        for path in self._metadata_names(directory, names):
            if path.startswith("~"):
                continue
            candidate = Candidate(
                path=f"{directory.path}/{path}",
                place=f"{relative}/{path}" if relative else directory.named_by,
                boundary=self.venv if relative else directory.path,
                location=relative or directory.path,
                inside=bool(relative),
            )
            self._read_candidate(candidate, always=always or bool(relative))

    def _metadata_names(self, directory: SiteDirectory, names: list[str]) -> list[str]:
        """Return those of `names` that are metadata, in the order in which pip reads them."""
        infos = [name for name in names if name.lower().endswith(_SUFFIXES)]
        egg = directory.path.lower().endswith(".egg")
        if self.legacy:
            if egg and os.path.isfile(f"{directory.path}/EGG-INFO/PKG-INFO"):  # noqa: PTH113
                return ["EGG-INFO"]
            return [name for name in sorted(infos) if self._has_metadata(f"{directory.path}/{name}")]
        groups: dict[str, list[str]] = {}
        for name in infos:
            stem = name.lower().rpartition(".")[0].partition("-")[0]
            groups.setdefault(re.sub(r"[-_.]+", "_", stem), []).append(name)
        return [
            *(name for group in groups.values() for name in group),
            *(name for name in names if egg and name.lower() == "egg-info"),
        ]

    def _has_metadata(self, path: str) -> bool:
        """Return whether pkg_resources reads it: a dist-info must be a directory, and must not be empty."""
        try:
            return bool(os.listdir(path))
        except NotADirectoryError:
            return path.lower().endswith(".egg-info")
        except OSError:
            return True  # it cannot be read, which becomes a finding

    def _read_candidate(self, candidate: Candidate, *, always: bool) -> None:
        """Read a candidate, and keep it if its name is new; `always` keeps it even if it is outside."""
        reading = read_distribution(candidate, sealed=self.sealed)
        if reading.distribution is None:
            self.findings += reading.findings
            return
        named = candidate.named[0] or reading.key
        compared = _UNSAFE.sub("-", named).lower() if self.legacy else normalized(named)
        if compared in self.seen:
            self._duplicate(candidate, compared)
            return
        self.seen[compared] = candidate.place
        self._keep(reading.distribution, reading.findings, always=always)

    def _duplicate(self, candidate: Candidate, compared: str) -> None:
        """Add a finding for a second distribution of one name, unless it is outside (an editable's own egg-info)."""
        if candidate.inside:
            self._add_duplicate(candidate.place, compared, self.seen[compared])

    def _add_duplicate(self, place: str, package: str, kept: str) -> None:
        detail = f"installed twice; pip uses `{kept}`"
        code = FindingCode.DUPLICATE_DIST_INFO
        self.findings.append(Finding(code=code, path=place, package=normalized(package), detail=detail))

    def _keep(self, distribution: Distribution, findings: list[Finding], *, always: bool) -> None:
        link = next((name for name in egg_link_names(distribution.name) if name in self.links), None)
        if self.local and not always and link is None:
            return
        self.findings += findings
        earlier = self.found.get(distribution.key)
        if earlier is not None:  # a different directory name with the same Name inside: pip uses the last one
            self._add_duplicate(earlier.place, distribution.key, distribution.place)
        self.found[distribution.key] = distribution

    def _read_zipped_egg(self, directory: SiteDirectory) -> None:
        match read_zipped_egg(directory):
            case Finding() as finding:
                self.findings.append(finding)
            case Distribution() as distribution if distribution.key not in self.seen:
                self.seen[distribution.key] = distribution.place
                if directory.relative or not self.local:
                    self.found.setdefault(distribution.key, distribution)

    def listing(self) -> Listing:
        """Return what was found; a distribution that an `.egg-link` names is a legacy editable install."""
        kept = [self._editable(each) for each in self.found.values()]
        return Listing(
            distributions=tuple(sorted(kept, key=lambda each: each.key)), findings=tuple(sorted(set(self.findings)))
        )

    def _editable(self, distribution: Distribution) -> Distribution:
        linked = any(name in self.links for name in egg_link_names(distribution.name))
        if distribution.origin.kind is not OriginKind.INDEX or not linked:
            return distribution
        location = distribution.location
        if not location.startswith("/"):
            location = f"{self.venv}/{location}"
        elif self.legacy:
            location = os.path.realpath(location)
        from urllib.parse import quote  # slow to import, and rarely needed

        origin = InstalledFrom(kind=OriginKind.EDITABLE, url=f"file://{quote(location)}")
        return replace(distribution, location=location, origin=origin)
