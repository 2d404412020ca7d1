"""Observes one environment: what exists at its path, what is installed in it, and what is wrong.

It runs no code of the environment and follows no symbolic link that points outside it. Files that cannot be read become
findings.
"""

import errno
import os
import re
import stat
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from reconciler.backticks import in_backticks
from reconciler.errors import InventoryError
from reconciler.observe.actual import (
    ActualEnvironment,
    Depth,
    Distribution,
    EditedInode,
    Finding,
    FindingCode,
    Occupant,
    StartupFile,
)
from reconciler.observe.attribution import attribute_findings
from reconciler.observe.distributions import list_distributions
from reconciler.observe.edited_inodes import edited_inodes
from reconciler.observe.file_changes import compare_files
from reconciler.observe.ignore_globs import ignore_matcher
from reconciler.observe.pyvenv_cfg import PyvenvCfg, PyvenvCfgError, read_pyvenv_cfg
from reconciler.observe.relocation import relocated_scripts
from reconciler.observe.site import find_site
from reconciler.observe.startup import compare_startup_files, find_startup_files
from reconciler.state.former_name import renamed_to
from reconciler.state.inode_hashes import InodeHashes
from reconciler.state.inventory import Inventory
from reconciler.state.inventory_file import load_inventory
from reconciler.state.published_generation import PublishedGeneration

_OF_CONTENTS = frozenset(
    {FindingCode.FILE_ADDED, FindingCode.FILE_CHANGED, FindingCode.FILE_TYPE_CHANGED, FindingCode.STRAY_BYTECODE}
)
_FOREIGN = {
    Occupant.DIRECTORY: (FindingCode.FOREIGN_DIRECTORY, "a directory that envsync did not create"),
    Occupant.VENV: (FindingCode.FOREIGN_VENV, "a virtual environment that envsync did not create"),
    Occupant.OTHER: (FindingCode.FOREIGN_FILE, "a file that envsync did not create"),
}


def observe_environment(
    path: Path,
    *,
    name: str,
    published: PublishedGeneration | None,
    depth: Depth,
    inodes: InodeHashes,
    ignore_files: Sequence[str] = (),
    as_sealed: bool = False,
) -> ActualEnvironment:
    """Return what exists at an environment's `path` (absolute).

    `published` is the sealed generation that the path points to, None unless it is our symbolic link to one. At depths
    `files` and `hashes` the files of a published generation are compared with its inventory, unless it is known that
    they are `as_sealed`.
    """
    if published is not None:
        return _observe_published(path, name, published, depth, inodes, None if as_sealed else ignore_files)
    occupant, findings = _occupant(path, name, inodes)
    if occupant is not Occupant.VENV:
        return ActualEnvironment(
            name=name, path=str(path), occupant=occupant, depth=depth, findings=tuple(sorted(findings))
        )
    venv = _ObservedVenv(str(path), findings)
    venv.read(places=(str(path),), home=None, system_site_packages=None)
    return venv.result(name=name, path=path, occupant=occupant, depth=depth)


def observe_path(path: Path, depth: Depth = Depth.METADATA) -> ActualEnvironment:
    """Return what exists at any `path`; a venv that envsync did not create is not a finding.

    A symbolic link at `path` itself is followed.
    """
    real = Path(os.path.realpath(path))
    occupant, findings = _occupant(real, real.name, InodeHashes())
    if occupant is not Occupant.VENV:
        return ActualEnvironment(
            name=path.name, path=str(path), occupant=occupant, depth=depth, findings=tuple(sorted(findings))
        )
    venv = _ObservedVenv(str(real))
    venv.read(places=(str(path.absolute()), str(real)), home=None, system_site_packages=None)
    return venv.result(name=path.name, path=path, occupant=occupant, depth=depth)


def _observe_published(
    path: Path,
    name: str,
    published: PublishedGeneration,
    depth: Depth,
    inodes: InodeHashes,
    ignore_files: Sequence[str] | None,
) -> ActualEnvironment:
    """Return the state of a published generation; `ignore_files` is None if its files are known to be as sealed."""
    place = str(published.venv)
    generation, seal = published.generation, published.seal
    try:
        exists = stat.S_ISDIR(os.lstat(place).st_mode)
    except OSError:
        exists = False
    if not exists:
        return ActualEnvironment(
            name=name, path=str(path), occupant=Occupant.DANGLING, depth=depth, generation=generation, seal=seal
        )
    venv = _ObservedVenv(place)
    venv.read(
        places=(place, str(path)),
        home=None if published.unreadable else published.home,
        system_site_packages=None if published.unreadable else published.system_site_packages,
        sealed=bool(seal) and (depth is Depth.METADATA or ignore_files is None),
    )
    if published.closed:
        detail = f"users who may read the root cannot read {published.closed[0]} in it"
        venv.findings.append(Finding(code=FindingCode.ACCESS_NARROWED, detail=detail))
    if published.damaged:
        detail = f"{published.unreadable}; files could not be compared"
        venv.findings.append(Finding(code=FindingCode.SEAL_DAMAGED, detail=detail))
    compares = depth is not Depth.METADATA or (venv.startup and seal)
    if compares and ignore_files is not None and not published.unreadable:
        try:
            inventory = load_inventory(published.inventory, digest=published.inventory_digest)
        except InventoryError as error:
            detail = f"the inventory could not be read: {error.problem}"
            venv.findings.append(Finding(code=FindingCode.INVENTORY_UNREADABLE, detail=detail))
        else:
            if depth is not Depth.METADATA:
                venv.compare(inventory, inodes, depth, ignore_files, published.access)
            venv.compare_startup(inventory, ignore_files)
    return venv.result(name=name, path=path, occupant=Occupant.PUBLISHED, depth=depth, generation=generation, seal=seal)


def _occupant(path: Path, name: str, inodes: InodeHashes) -> tuple[Occupant, list[Finding]]:
    """Return what exists at a path that does not point to a sealed generation, and findings that it is not ours."""
    try:
        status = os.lstat(path)
        if stat.S_ISLNK(status.st_mode):
            target = os.readlink(path)  # noqa: PTH115
            if re.fullmatch(rf"\.envsync/generations/{re.escape(name)}/[1-9][0-9]*/venv", target):
                return Occupant.DANGLING, []
            if renamed_to(str(path.parent), name):  # our own link, which a new environment of this name replaces
                return Occupant.ABSENT, []
            detail = f"a symbolic link to {in_backticks(target)} that envsync did not create"
            return Occupant.SYMLINK, [Finding(code=FindingCode.FOREIGN_SYMLINK, detail=detail)]
        if stat.S_ISDIR(status.st_mode):
            return _directory_occupant(path)
        content = inodes.bounded_sha256(path, status) if stat.S_ISREG(status.st_mode) else ""
    except FileNotFoundError:
        return Occupant.ABSENT, []
    except OSError as error:
        detail = f"could not be read: {error.strerror or error}"
        absent = error.errno == errno.ENOTDIR
        return (Occupant.ABSENT if absent else Occupant.OTHER), [Finding(code=FindingCode.UNREADABLE, detail=detail)]
    code, detail = _FOREIGN[Occupant.OTHER]
    return Occupant.OTHER, [Finding(code=code, detail=detail, content=content)]


def _directory_occupant(path: Path) -> tuple[Occupant, list[Finding]]:
    """Return which kind of directory exists at a path; one that the user may not enter can be a venv or any other."""
    occupant, findings = Occupant.DIRECTORY, []
    for name in ("pyvenv.cfg", "bin/python"):
        try:
            os.lstat(path / name)
        except (FileNotFoundError, NotADirectoryError):
            continue
        except OSError as error:
            detail = f"could not be read: {error.strerror or error}"
            findings.append(Finding(code=FindingCode.UNREADABLE, path=name, detail=detail))
        else:
            if name == "pyvenv.cfg":
                occupant = Occupant.VENV
            else:
                detail = "it has bin/python, but no pyvenv.cfg"
                findings.append(Finding(code=FindingCode.MISSING_PYVENV_CFG, path="pyvenv.cfg", detail=detail))
        break
    code, detail = _FOREIGN[occupant]
    return occupant, [Finding(code=code, detail=detail), *findings]


@dataclass(slots=True)
class _ObservedVenv:
    """What was read so far of the venv at `place` (absolute)."""

    place: str
    findings: list[Finding] = field(default_factory=list)
    ignored: list[Finding] = field(default_factory=list)
    edited: tuple[EditedInode, ...] = ()
    distributions: tuple[Distribution, ...] = ()
    configuration: PyvenvCfg | None = None
    series: str = ""
    startup: tuple[StartupFile, ...] = ()

    def read(
        self, *, places: Sequence[str], home: str | None, system_site_packages: bool | None, sealed: bool = False
    ) -> None:
        """Read the venv's own files and list its distributions.

        `places` are the paths that its scripts may name. `home` and `system_site_packages` are what its seal has, None
        if it has no seal. In a `sealed` venv no RECORD and only one script is read: they were read before the seal, do
        not affect which distributions are installed, and depth `files` compares them.
        """
        try:
            self.configuration = read_pyvenv_cfg(Path(self.place))
        except PyvenvCfgError as error:
            self._find(error.finding, "pyvenv.cfg", error.message, error.sha256)
        own = self.configuration
        if own is not None and home is not None and own.home != home:
            self._find(
                FindingCode.WRONG_HOME,
                "pyvenv.cfg",
                f"its home is {in_backticks(own.home)}; it was {in_backticks(home)}",
            )
        if own is not None and system_site_packages not in {None, own.system_site_packages}:
            now = "on" if own.system_site_packages else "off"
            self._find(FindingCode.SYSTEM_SITE_PACKAGES, "pyvenv.cfg", f"system site packages were switched {now}")
        self._check_interpreter()
        self.findings += relocated_scripts(self.place, places, own.home if own else "", only_activate=sealed)
        site = find_site(self.place, own.version if own else "")
        local = own is not None and own.system_site_packages
        listing = list_distributions(self.place, site, local=local, sealed=sealed)
        self.series = site.series
        self.findings += [*site.findings, *listing.findings]
        self.distributions = listing.distributions
        self.startup = find_startup_files(self.place, site)

    def compare(
        self, inventory: Inventory, inodes: InodeHashes, depth: Depth, ignore_files: Sequence[str], access: int
    ) -> None:
        """Compare the venv's files with an inventory; findings about files that `ignore_files` matches are kept apart.

        Files that were added and are ignored are not attributed to packages: that would read every RECORD in every run.
        """
        matches = ignore_matcher(ignore_files)
        found = compare_files(self.place, inventory, inodes, depth, access)
        added = [each for each in found if each.code is FindingCode.FILE_ADDED and matches(each.path)]
        others = [each for each in found if each.code is not FindingCode.FILE_ADDED or not matches(each.path)]
        sealed = set(inventory.directories) if others else set()
        attributed = attribute_findings(others, self.place, self.distributions, sealed) if others else []
        self.ignored += [*added, *(each for each in attributed if matches(each.path))]
        self.findings += [each for each in attributed if not matches(each.path)]
        self.edited = edited_inodes(self.place, attributed)
        # An ignored script may name a different environment.
        moved = [each for each in self.findings if each.code is FindingCode.MOVED and matches(each.path)]
        self.findings = [each for each in self.findings if each not in moved]

    def compare_startup(self, inventory: Inventory, ignore_files: Sequence[str]) -> None:
        """Compare what Python runs at every start with an inventory, at every depth.

        A finding about it takes the place of the one about the same file. Files that `ignore_files` matches are
        declared, so they are none.
        """
        matches = ignore_matcher(ignore_files)
        self.startup, found = compare_startup_files(self.place, self.startup, inventory)
        found = [each for each in found if not matches(each.path)]
        if found:
            paths = {each.path for each in found}
            self.findings = [each for each in self.findings if each.path not in paths or each.code not in _OF_CONTENTS]
            self.findings += attribute_findings(found, self.place, self.distributions, set(inventory.directories))

    def _check_interpreter(self) -> None:
        try:
            status = os.stat(f"{self.place}/bin/python")  # noqa: PTH116
        except PermissionError as error:  # it may well exist
            self._find(FindingCode.UNREADABLE, "bin/python", f"the interpreter could not be read: {error.strerror}")
            return
        except OSError as error:
            detail = f"the interpreter could not be found: {error.strerror}"
            self._find(FindingCode.DANGLING_INTERPRETER, "bin/python", detail)
            return
        if not stat.S_ISREG(status.st_mode) or not status.st_mode & 0o111:
            self._find(FindingCode.DANGLING_INTERPRETER, "bin/python", "it does not point to an executable file")

    def _find(self, code: FindingCode, path: str, detail: str, content: str = "") -> None:
        self.findings.append(Finding(code=code, path=path, detail=detail, content=content))

    def result(
        self, *, name: str, path: Path, occupant: Occupant, depth: Depth, generation: int = 0, seal: str = ""
    ) -> ActualEnvironment:
        """Return everything that was read."""
        own = self.configuration
        return ActualEnvironment(
            name=name,
            path=str(path),
            occupant=occupant,
            depth=depth,
            generation=generation,
            seal=seal,
            python=(own.version if own else "") or self.series,
            home=own.home if own else "",
            system_site_packages=own.system_site_packages if own else False,
            distributions=self.distributions,
            findings=tuple(sorted(set(self.findings))),
            ignored=tuple(sorted(set(self.ignored))),
            edited=self.edited,
            startup=self.startup,
        )
