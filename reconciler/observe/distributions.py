"""Lists the distributions of an environment: those that `pip freeze --all` would, from what is on disk alone.

pip reads them by `importlib.metadata` on Python 3.11 and later and by `pkg_resources` before; the two differ in
which of two duplicates they keep and in how they find legacy editables, and so does this.
"""

import os
import re
from dataclasses import dataclass, field, replace

from reconciler.observe.actual import Distribution, Finding, FindingCode, InstalledFrom, OriginKind
from reconciler.observe.distribution import Candidate, Reading, read_distribution
from reconciler.observe.egg import EggLink, egg_link_names, read_egg_link, read_zipped_egg
from reconciler.observe.metadata import normalized
from reconciler.observe.site import Site, SiteDirectory, named_directories

_SUFFIXES = (".dist-info", ".egg-info")
_IMPORTLIB_SINCE = 11  # Python 3.11
_UNSAFE = re.compile(r"[^A-Za-z0-9.]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """The distributions of an environment, sorted by key, and what is odd about them, sorted."""

    distributions: tuple[Distribution, ...]
    findings: tuple[Finding, ...]


def list_distributions(venv: str, site: Site, *, local: bool, sealed: bool = False) -> Listing:
    """List what is installed at `venv` (absolute).

    `local` leaves out what a `.pth` file adds from outside, as `pip freeze --local` does: it is for environments that
    see the system's packages. Of what is `sealed` RECORD is there or not, and is not read.
    """
    lister = _Lister(venv, local=local, sealed=sealed, legacy=_minor(site.series) < _IMPORTLIB_SINCE)
    for directory in site.directories:
        names = lister.listdir(directory)
        lister.leftovers(directory, names)
        lister.read(directory, names)
        for named in named_directories(venv, directory, names):
            lister.read(named, lister.listdir(named) if os.path.isdir(named.path) else None)  # noqa: PTH112
    return lister.listing()


def _minor(series: str) -> int:
    minor = series.partition(".")[2]
    return int(minor) if minor.isdigit() else _IMPORTLIB_SINCE


@dataclass(slots=True)
class _Lister:
    """What was found so far, in the order of the path."""

    venv: str
    local: bool
    sealed: bool
    legacy: bool
    found: dict[str, Distribution] = field(default_factory=dict)
    seen: dict[str, str] = field(default_factory=dict)  # what pip tells duplicates by -> the place kept
    searched: set[str] = field(default_factory=set)
    links: dict[str, EggLink] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)

    def listdir(self, directory: SiteDirectory) -> list[str]:
        """Return a directory's names in the order in which pip sees them too."""
        try:
            return os.listdir(directory.path)
        except OSError as error:
            place = directory.relative or directory.named_by
            detail = f"could not be read: {error.strerror}"
            self.findings.append(Finding(code=FindingCode.UNREADABLE, path=place, detail=detail))
            return []

    def leftovers(self, directory: SiteDirectory, names: list[str]) -> None:
        """Find what an interrupted uninstall of pip left behind: entries that begin with a tilde."""
        detail = "left behind by an uninstall that was cut short; it can be deleted"
        self.findings += [
            Finding(code=FindingCode.LEFTOVER, path=f"{directory.relative}/{name}", detail=detail)
            for name in names
            if name.startswith("~")
        ]

    def read(self, directory: SiteDirectory, names: list[str] | None) -> None:
        """Read the distributions in one directory of the path; `names` is None for a file (a zipped egg)."""
        if directory.path in self.searched:
            return
        self.searched.add(directory.path)
        if names is None:
            self._zipped(directory)
            return
        self._search(directory, names, directory.relative)
        for name in names:
            if name.endswith(".egg-link"):
                link, finding = read_egg_link(self.venv, directory, name)
                self.links.setdefault(name, link)
                self.findings.append(finding)
                if not self.legacy and link.target and os.path.isdir(link.target):  # noqa: PTH112
                    self._linked(link)

    def _linked(self, link: EggLink) -> None:
        target = SiteDirectory(path=link.target, relative="", named_by=link.place)
        self._search(target, self.listdir(target), "", always=True)

    def _search(self, directory: SiteDirectory, names: list[str], relative: str, *, always: bool = False) -> None:
        for path in self._metadata(directory, names):
            if path.startswith("~"):
                continue
            candidate = Candidate(
                path=f"{directory.path}/{path}",
                place=f"{relative}/{path}" if relative else directory.named_by,
                top=self.venv if relative else directory.path,
                holder=relative or directory.path,
                inside=bool(relative),
            )
            self._take(candidate, always=always or bool(relative))

    def _metadata(self, directory: SiteDirectory, names: list[str]) -> list[str]:
        """Return which of `names` are metadata, in the order in which pip goes through them."""
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
        """Return whether pkg_resources looks at it: a dist-info is a directory, and none is empty."""
        try:
            return bool(os.listdir(path))
        except NotADirectoryError:
            return path.lower().endswith(".egg-info")
        except OSError:
            return True  # it cannot be read, which becomes a finding

    def _take(self, candidate: Candidate, *, always: bool) -> None:
        """Read a candidate unless its name was seen already; `always` takes it though it lies outside."""
        named = candidate.named[0]
        same = (_UNSAFE.sub("-", named).lower() if self.legacy else normalized(named)) if named else ""
        if same and same in self.seen:
            self._duplicate(candidate, same)
            return
        reading = read_distribution(candidate, sealed=self.sealed)
        same = same or reading.key
        if reading.distribution is not None and same in self.seen:
            self._duplicate(candidate, same)
            return
        if reading.distribution is None:
            self.findings += reading.findings
            return
        self.seen[same] = candidate.place
        self._keep(reading, always=always)

    def _duplicate(self, candidate: Candidate, same: str) -> None:
        """Find a second distribution of one name; beside the path (an editable's own egg-info) it is nothing odd."""
        if candidate.inside:
            self._add_duplicate(candidate.place, same, self.seen[same])

    def _add_duplicate(self, place: str, package: str, kept: str) -> None:
        detail = f"installed twice; {kept} is the one that counts"
        code = FindingCode.DUPLICATE_DIST_INFO
        self.findings.append(Finding(code=code, path=place, package=normalized(package), detail=detail))

    def _keep(self, reading: Reading, *, always: bool) -> None:
        distribution = reading.distribution
        if distribution is None:
            return
        link = next((name for name in egg_link_names(distribution.name) if name in self.links), None)
        if self.local and not always and link is None:
            return
        self.findings += reading.findings
        earlier = self.found.get(distribution.key)
        if earlier is not None:  # another directory name, the same Name inside: pip's last one wins
            self._add_duplicate(earlier.place, distribution.key, distribution.place)
        self.found[distribution.key] = distribution

    def _zipped(self, directory: SiteDirectory) -> None:
        match read_zipped_egg(directory):
            case Finding() as finding:
                self.findings.append(finding)
            case Distribution() as distribution if distribution.key not in self.seen:
                self.seen[distribution.key] = distribution.place
                if directory.relative or not self.local:
                    self.found.setdefault(distribution.key, distribution)
            case _:
                pass

    def listing(self) -> Listing:
        """Return what was found; a distribution that an `.egg-link` names is a legacy editable."""
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
        from urllib.parse import quote  # slow to import, and hardly ever needed

        origin = InstalledFrom(kind=OriginKind.EDITABLE, url=f"file://{quote(location)}")
        return replace(distribution, location=location, origin=origin)
