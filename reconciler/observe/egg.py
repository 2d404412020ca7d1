"""Reads legacy eggs: `.egg-link` files of `setup.py develop`, and zipped eggs of easy_install."""

import hashlib
import os
import re
import stat
from dataclasses import dataclass

from reconciler.backticks import in_backticks
from reconciler.fs.read import read_inside, reason
from reconciler.observe.actual import Distribution, Finding, FindingCode
from reconciler.observe.metadata import normalized, read_identity
from reconciler.observe.site import SiteDirectory

_UNSAFE = re.compile(r"[^A-Za-z0-9.]+")
_LIMIT_BYTES = 1024 * 1024
_LONGEST_LINK_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class EggLink:
    """An `.egg-link` file: its name, its relative path, and the project directory in it (empty if there is none)."""

    name: str
    place: str
    target: str

    @property
    def key(self) -> str:
        """Return the normalized name of its distribution."""
        return normalized(self.name.removesuffix(".egg-link"))


def read_egg_link(venv: str, site: SiteDirectory, name: str) -> tuple[EggLink, Finding]:
    """Return an `.egg-link` as pip reads it (its first line that is not blank), and the finding that it exists."""
    place = f"{site.relative}/{name}" if site.relative else site.named_by
    target, sha256, detail = "", "", "a legacy editable install (setup.py develop)"
    try:
        content = read_inside(f"{site.path}/{name}", venv if site.relative else site.path, limit=_LONGEST_LINK_BYTES)
        sha256 = hashlib.sha256(content).hexdigest()
        lines = (line.strip() for line in content.decode("utf-8", "replace").splitlines())
        first = next((line for line in lines if line and "\0" not in line), "")
        target = os.path.normpath(os.path.join(site.path, first)) if first else ""  # noqa: PTH118
        detail += _problem(target) if target else "; it names no project"
    except OSError as error:
        detail += f"; it could not be read: {error.strerror}"
    link = EggLink(name=name, place=place, target=target)
    return link, Finding(code=FindingCode.EGG_LINK, path=place, package=link.key, detail=detail, content=sha256)


def _problem(target: str) -> str:
    """Return what is wrong with the project directory of an `.egg-link`, empty if nothing is."""
    try:
        exists = stat.S_ISDIR(os.stat(target).st_mode)  # noqa: PTH116
    except PermissionError as error:
        return f"; its project {in_backticks(target)} could not be read: {error.strerror}"
    except (OSError, ValueError):
        exists = False
    return "" if exists else f"; its project {in_backticks(target)} is missing"


def egg_link_names(raw_name: str) -> tuple[str, str]:
    """Return the file names under which pip looks for a distribution's `.egg-link`."""
    return f"{_UNSAFE.sub('-', raw_name)}.egg-link", f"{raw_name}.egg-link"


def read_zipped_egg(site: SiteDirectory) -> Distribution | Finding | None:
    """Return the distribution in a zipped egg that a `.pth` file names, None if the file is not an egg."""
    if not site.path.lower().endswith(".egg"):
        return None
    from reconciler.observe.zip_archive import zip_member  # slow to import, and rarely needed

    place = site.relative or site.named_by
    try:
        metadata = zip_member(site.path, "EGG-INFO/PKG-INFO", _LIMIT_BYTES)
    except KeyError:
        return Finding(code=FindingCode.MISSING_METADATA, path=place, detail="a zipped egg without PKG-INFO")
    except OSError as error:
        detail = f"a zipped egg that could not be read: {reason(error)}"
        return Finding(code=FindingCode.UNREADABLE, path=place, detail=detail)
    identity = read_identity(metadata.decode("utf-8", "replace"))
    if not identity.name or not identity.version:
        return Finding(code=FindingCode.INVALID_METADATA, path=place, detail="a zipped egg without name or version")
    return Distribution(
        key=normalized(identity.name),
        name=identity.name,
        version=identity.version,
        place=place,
        location=site.relative or site.path,
    )
