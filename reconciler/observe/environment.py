"""Observes one environment: what stands at its path, what is installed in it, and what is wrong with either.

Nothing of it is executed and no symlink out of it is followed; whatever cannot be read becomes a finding.
"""

import errno
import os
import re
import stat
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from reconciler.observe.actual import ActualEnvironment, Depth, Distribution, Finding, FindingCode, Occupant
from reconciler.observe.attribution import attributed
from reconciler.observe.distributions import list_distributions
from reconciler.observe.file_changes import compare_files
from reconciler.observe.pyvenv_cfg import PyvenvCfg, PyvenvCfgError, read_pyvenv_cfg
from reconciler.observe.relocation import moved
from reconciler.observe.site import find_site
from reconciler.state.inode_hashes import InodeHashes
from reconciler.state.inventory_file import InventoryError, load_inventory
from reconciler.state.published import Published

_FOREIGN = {
    Occupant.DIRECTORY: (FindingCode.FOREIGN_DIRECTORY, "a directory that envsync did not make"),
    Occupant.VENV: (FindingCode.FOREIGN_VENV, "a virtual environment that envsync did not make"),
    Occupant.OTHER: (FindingCode.FOREIGN_FILE, "something that envsync did not make"),
}


def observe_environment(
    path: Path,
    *,
    name: str,
    published: Published | None,
    depth: Depth,
    inodes: InodeHashes,
    ignore_files: Sequence[str] = (),
    as_sealed: bool = False,
) -> ActualEnvironment:
    """Observe what stands at an environment's `path` (absolute).

    `published` is the sealed generation that the path points to, None where it is no symlink of ours to one. Files are
    compared with its inventory at depth `files` and `hashes`, unless they are known to be `as_sealed`; somebody else's
    environment has none.
    """
    if published is not None:
        return _published(path, name, published, depth, inodes, None if as_sealed else ignore_files)
    occupant, findings = _occupant(path, name, inodes)
    if occupant is not Occupant.VENV:
        return ActualEnvironment(
            name=name, path=str(path), occupant=occupant, depth=depth, findings=tuple(sorted(findings))
        )
    looking = _Looking(str(path), findings)
    looking.look(places=(str(path),), home=None, system_site_packages=None)
    return looking.result(name=name, path=path, occupant=occupant, depth=depth)


def observe_path(path: Path, depth: Depth = Depth.METADATA) -> ActualEnvironment:
    """Observe any venv, whoever made it and without calling it foreign; where there is none, `occupant` says so.

    A symlink at `path` itself is followed: it is what was asked for.
    """
    real = Path(os.path.realpath(path))
    occupant, findings = _occupant(real, real.name, InodeHashes())
    if occupant is not Occupant.VENV:
        return ActualEnvironment(
            name=path.name, path=str(path), occupant=occupant, depth=depth, findings=tuple(sorted(findings))
        )
    looking = _Looking(str(real))
    looking.look(places=(str(path.absolute()), str(real)), home=None, system_site_packages=None)
    return looking.result(name=path.name, path=path, occupant=occupant, depth=depth)


def _published(
    path: Path, name: str, published: Published, depth: Depth, inodes: InodeHashes, ignore_files: Sequence[str] | None
) -> ActualEnvironment:
    """Observe a published generation; its files are known to be as sealed where `ignore_files` is None."""
    venv = str(published.venv)
    generation, seal = published.generation, published.seal
    try:
        there = stat.S_ISDIR(os.lstat(venv).st_mode)
    except OSError:
        there = False
    if not there:
        return ActualEnvironment(
            name=name, path=str(path), occupant=Occupant.DANGLING, depth=depth, generation=generation, seal=seal
        )
    looking = _Looking(venv)
    looking.look(
        places=(venv, str(path)),
        home=published.home,
        system_site_packages=published.system_site_packages,
        sealed=bool(seal) and (depth is Depth.METADATA or ignore_files is None),
    )
    if depth is not Depth.METADATA and ignore_files is not None:
        try:
            inventory = load_inventory(published.inventory, digest=published.inventory_digest)
        except InventoryError as error:
            detail = f"the generation's inventory: {error.message.rpartition(': ')[2]}"
            looking.findings.append(Finding(code=FindingCode.INVENTORY_UNREADABLE, detail=detail))
        else:
            found = compare_files(venv, inventory, inodes, depth, ignore_files)
            looking.findings += attributed(found, venv, looking.distributions) if found else []
    return looking.result(
        name=name, path=path, occupant=Occupant.PUBLISHED, depth=depth, generation=generation, seal=seal
    )


def _occupant(path: Path, name: str, inodes: InodeHashes) -> tuple[Occupant, list[Finding]]:
    """Tell what stands at a path that is no symlink to a sealed generation, and that it is not ours."""
    try:
        status = os.lstat(path)
        if stat.S_ISLNK(status.st_mode):
            target = os.readlink(path)  # noqa: PTH115
            if re.fullmatch(rf"\.envsync/generations/{re.escape(name)}/[1-9][0-9]*/venv", target):
                return Occupant.DANGLING, []
            detail = f"a symbolic link to {target}, which envsync did not make"
            return Occupant.SYMLINK, [Finding(code=FindingCode.FOREIGN_SYMLINK, detail=detail)]
        if stat.S_ISDIR(status.st_mode):
            occupant = Occupant.VENV if os.path.lexists(f"{path}/pyvenv.cfg") else Occupant.DIRECTORY
        else:
            occupant = Occupant.OTHER
        content = inodes.sha256_of(path, status) if stat.S_ISREG(status.st_mode) else ""
    except FileNotFoundError:
        return Occupant.ABSENT, []
    except OSError as error:
        detail = f"could not be read: {error.strerror or error}"
        absent = error.errno == errno.ENOTDIR
        return (Occupant.ABSENT if absent else Occupant.OTHER), [Finding(code=FindingCode.UNREADABLE, detail=detail)]
    code, detail = _FOREIGN[occupant]
    findings = [Finding(code=code, detail=detail, content=content)]
    if occupant is Occupant.DIRECTORY and os.path.lexists(f"{path}/bin/python"):
        detail = "it has bin/python, but no pyvenv.cfg"
        findings.append(Finding(code=FindingCode.MISSING_PYVENV_CFG, path="pyvenv.cfg", detail=detail))
    return occupant, findings


@dataclass(slots=True)
class _Looking:
    """What was seen of the venv at `venv` so far."""

    venv: str
    findings: list[Finding] = field(default_factory=list)
    distributions: tuple[Distribution, ...] = ()
    configuration: PyvenvCfg | None = None
    series: str = ""

    def look(
        self, *, places: Sequence[str], home: str | None, system_site_packages: bool | None, sealed: bool = False
    ) -> None:
        """Look at the venv's own files and list what is installed; None stands for 'nobody recorded it'.

        Of what is `sealed` no RECORD is read and no script but one: they were before the seal, they say nothing of what
        is installed, and depth `files` compares them (or knows that they are as they were).
        """
        try:
            self.configuration = read_pyvenv_cfg(Path(self.venv))
        except PyvenvCfgError as error:
            self._find(error.finding, "pyvenv.cfg", error.message, error.sha256)
        own = self.configuration
        if own is not None and home is not None and own.home != home:
            self._find(FindingCode.WRONG_HOME, "pyvenv.cfg", f"its home is {own.home}, and was {home}")
        if own is not None and system_site_packages not in {None, own.system_site_packages}:
            now = "on" if own.system_site_packages else "off"
            self._find(FindingCode.SYSTEM_SITE_PACKAGES, "pyvenv.cfg", f"system site packages were switched {now}")
        self._look_at_interpreter()
        self.findings += moved(self.venv, places, own.home if own else "", one=sealed)
        site = find_site(self.venv, own.version if own else "")
        listing = list_distributions(self.venv, site, local=own is not None and own.system_site_packages, sealed=sealed)
        self.series = site.series
        self.findings += [*site.findings, *listing.findings]
        self.distributions = listing.distributions

    def _look_at_interpreter(self) -> None:
        try:
            status = os.stat(f"{self.venv}/bin/python")  # noqa: PTH116
        except OSError as error:
            self._find(FindingCode.DANGLING_INTERPRETER, "bin/python", f"it leads nowhere: {error.strerror}")
            return
        if not stat.S_ISREG(status.st_mode) or not status.st_mode & 0o111:
            self._find(FindingCode.DANGLING_INTERPRETER, "bin/python", "it leads to what is no program")

    def _find(self, code: FindingCode, path: str, detail: str, content: str = "") -> None:
        self.findings.append(Finding(code=code, path=path, detail=detail, content=content))

    def result(
        self, *, name: str, path: Path, occupant: Occupant, depth: Depth, generation: int = 0, seal: str = ""
    ) -> ActualEnvironment:
        """Return all that was seen."""
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
        )
