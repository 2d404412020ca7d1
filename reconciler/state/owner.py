"""Which manifest an environment belongs to: an identity that is read from disk, and not only the name of a project.

Two manifests can have one `project` and one root: a copy, a second working tree, `-f` with the wrong file. Each must
leave alone what the other one made.
"""

import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from reconciler.git.working_tree import find_repository
from reconciler.redaction import REDACTED, redact_url
from reconciler.state.applied import Applied


@dataclass(frozen=True, slots=True, kw_only=True)
class ManifestIdentity:
    """A manifest: its path relative to the root, and its repository's URL with its path in it (empty without git)."""

    path: str
    repository: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OtherOwner:
    """Who applied an environment, if that is not this manifest under its present `project`.

    `manifest` is the absolute path of the other manifest, empty if it is this one. `project` is what its
    `project` was then, empty if it is the same. `link` is a path through a symbolic link that means this manifest now,
    such as `/srv/app/current/envs.yaml`; empty if there is none next to it.
    """

    manifest: str = ""
    project: str = ""
    link: str = ""


def named_path(file: Path, root: Path, pwd: str) -> Path:
    """Return the path by which a manifest is named: for a relative one, with the symbolic links of the shell's `PWD`.

    A shell that changed to `/srv/app/current` is in `/srv/app/releases/42`, and only `PWD` has the name that remains
    the same for the next release. `pwd` counts only if it is the working directory. A `root` below the manifest's
    directory moves with it, so that links do not matter.
    """
    if file.is_absolute() or not pwd.startswith("/") or root.is_relative_to(file.absolute().parent):
        return file
    return Path(os.path.normpath(pwd), file) if os.path.realpath(pwd) == os.path.realpath(".") else file


def manifest_identity(file: Path, root: Path, applied: Mapping[str, Applied], project: str) -> ManifestIdentity:
    """Return the identity to record. Symbolic links in the path are not resolved: they are how the manifest is named.

    If what this `project` last `applied` names the same file through a link, that name is kept.
    """
    path = _relative(file, root)
    mine = {each.manifest for each in applied.values() if each.project == project and each.manifest}
    if path not in mine:
        path = next((each for each in sorted(mine) if _is_same_file(each, file, root)), path)
    return ManifestIdentity(path=path, repository=_repository(file))


def other_owners(applied: Mapping[str, Applied], project: str, file: Path, root: Path) -> dict[str, OtherOwner]:
    """Return by name who applied each environment of this project or manifest, without this one's own.

    Those of a different project and manifest are not among them: nothing connects them with this one. An environment
    whose manifest is not known counts as this one's. So does one whose recorded path means this very file now, through
    symbolic links, and one whose recorded manifest no longer exists, if it was at the same place of the same
    repository: the checkout was moved.
    """
    path = _relative(file, root)
    found = {}
    link: str | None = None
    for name, each in applied.items():
        if each.project != project:
            if each.manifest == path:
                found[name] = OtherOwner(project=each.project)
        elif (
            each.manifest not in {"", path}
            and not _is_same_file(each.manifest, file, root)
            and not _was_moved(each, file, root)
        ):
            link = _link_to(file) if link is None else link
            found[name] = OtherOwner(manifest=recorded_manifest(each, root), link=link)
    return found


def under_present_project(
    applied: Mapping[str, Applied], owners: Mapping[str, OtherOwner], project: str
) -> dict[str, Applied]:
    """Return what was last applied; what this manifest applied under its former `project` is under `project`."""
    return {
        name: replace(each, project=project) if name in owners and owners[name].project else each
        for name, each in applied.items()
    }


def recorded_manifest(applied: Applied, root: Path) -> str:
    """Return the absolute path of the manifest that applied an environment."""
    return os.path.normpath(root / applied.manifest)


def _is_same_file(recorded: str, file: Path, root: Path) -> bool:
    """Return whether a recorded path means `file` now. Hard links do not count: copies of a release share them."""
    return os.path.realpath(root / recorded) == os.path.realpath(file)


def _link_to(file: Path) -> str:
    """Return a path of `file` through a symbolic link in the two directories above its own, empty without one.

    Deployment tools have a link such as `current` there, which means the newest release.
    """
    directory = os.path.realpath(file.absolute().parent)
    for above in (os.path.dirname(directory), os.path.dirname(os.path.dirname(directory))):  # noqa: PTH120
        with suppress(OSError), os.scandir(above) as listing:
            links = sorted(each.path for each in listing if each.is_symlink())
            for each in links:
                if os.path.realpath(each) == directory:
                    return f"{each}/{file.name}"
    return ""


def _was_moved(applied: Applied, file: Path, root: Path) -> bool:
    if os.path.lexists(recorded_manifest(applied, root)) or not applied.repository:
        return False
    return applied.repository == _repository(file)


def _relative(file: Path, root: Path) -> str:
    return os.path.relpath(file.absolute(), root)


def _repository(file: Path) -> str:
    """Return `URL PATH` of a file in a git working tree, empty outside of one or without a remote."""
    directory = file.absolute().parent
    found = find_repository(str(directory))
    remotes = dict(reversed(found.remotes())) if found else {}
    if found is None or not remotes:
        return ""
    url = remotes.get("origin") or next(reversed(remotes.values()))
    url = redact_url(url).replace(f"{REDACTED}@", "")  # equal in every clone
    return f"{url} {os.path.relpath(file.absolute(), found.top)}"
