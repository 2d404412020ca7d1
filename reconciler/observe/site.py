"""Finds the directories from which an environment's interpreter imports packages, without starting it.

These are `lib*/pythonX.Y/site-packages` and the directories in its `.pth` files, which are read as site.py reads them.
Only the `import` lines in `.pth` files are not run.
"""

import os
import re
from dataclasses import dataclass

from reconciler.fs.read import read_inside
from reconciler.observe.actual import Finding, FindingCode

_INTERPRETER = re.compile(r"^(?:python|pypy)(?P<series>3\.\d+)t?$")
PTH_LIMIT_BYTES = 256 * 1024
"""The size of the largest `.pth` file whose lines are read."""
_LIBRARIES = ("lib64", "lib")  # if both are real directories, site.py uses lib64 first


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteDirectory:
    """A directory (absolute path) that may contain distributions.

    `relative` is its path relative to the environment, empty if it is outside. `named_by` is then the relative path of
    the `.pth` file that names it.
    """

    path: str
    relative: str
    named_by: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """An environment's site-packages directories in import order; `series` is that of its interpreter (`3.12`)."""

    directories: tuple[SiteDirectory, ...]
    series: str
    findings: tuple[Finding, ...]


def find_site(venv: str, version: str) -> Site:
    """Return the site-packages directories of the environment at `venv` (absolute).

    `version` is the one in pyvenv.cfg, and may be empty: the newest series counts then.
    """
    wanted = ".".join(version.split(".")[:2])
    found: dict[str, list[SiteDirectory]] = {}
    findings = []
    for library in _LIBRARIES:
        try:
            if os.path.islink(f"{venv}/{library}"):  # noqa: PTH114
                if library == "lib":
                    findings.append(_not_followed(library))
                continue
            names = os.listdir(f"{venv}/{library}")
        except (FileNotFoundError, NotADirectoryError):
            continue
        except OSError as error:
            findings.append(_unreadable(library, error))
            continue
        for name in sorted(names):
            if match := _INTERPRETER.match(name):
                relative = f"{library}/{name}/site-packages"
                if os.path.islink(f"{venv}/{library}/{name}") or os.path.islink(f"{venv}/{relative}"):  # noqa: PTH114
                    findings.append(_not_followed(relative))
                elif os.path.isdir(f"{venv}/{relative}"):  # noqa: PTH112
                    each = SiteDirectory(path=f"{venv}/{relative}", relative=relative)
                    found.setdefault(match["series"], []).append(each)
    newest = max(found, key=lambda series: int(series.split(".")[1]), default="")
    series = wanted if wanted in found else newest
    return Site(directories=tuple(found.get(series, ())), series=series or wanted, findings=tuple(findings))


def directories_in_pth_files(venv: str, site: SiteDirectory, names: list[str]) -> list[SiteDirectory]:
    """Return the directories and eggs that the `.pth` files among `names` add to the import path, in order."""
    found = []
    for name in sorted(each for each in names if each.endswith(".pth") and not each.startswith(".")):
        try:
            text = read_inside(f"{site.path}/{name}", venv, limit=PTH_LIMIT_BYTES).decode("utf-8-sig")
        except (OSError, UnicodeDecodeError):
            continue  # it is a startup file then (reconciler.observe.startup)
        for line in text.splitlines():
            if not line.strip() or line.startswith(("#", "import ", "import\t")) or "\0" in line:
                continue
            path = os.path.normpath(os.path.join(site.path, line.rstrip()))  # noqa: PTH118
            if os.path.exists(path):  # noqa: PTH110
                relative = path.removeprefix(f"{venv}/") if path.startswith(f"{venv}/") else ""
                found.append(SiteDirectory(path=path, relative=relative, named_by=f"{site.relative}/{name}"))
    return found


def _not_followed(relative: str) -> Finding:
    return Finding(code=FindingCode.UNREADABLE, path=relative, detail="a symbolic link, which is not followed")


def _unreadable(relative: str, error: OSError) -> Finding:
    return Finding(code=FindingCode.UNREADABLE, path=relative, detail=f"could not be read: {error.strerror}")
