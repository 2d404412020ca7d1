"""Which manifest an environment belongs to: an identity that is read from disk, and not only the name of a project.

Two manifests can have one `project` and one root: a copy, a second working tree, `-f` with the wrong file. Each must
leave alone what the other one made.
"""

import os
from collections.abc import Mapping
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
    `project` was then, empty if it is the same.
    """

    manifest: str = ""
    project: str = ""


def manifest_identity(file: Path, root: Path) -> ManifestIdentity:
    """Return the identity of a manifest. Symbolic links in its path are not resolved: they are how it is named."""
    return ManifestIdentity(path=_relative(file, root), repository=_repository(file))


def other_owners(applied: Mapping[str, Applied], project: str, file: Path, root: Path) -> dict[str, OtherOwner]:
    """Return by name who applied each environment of this project or manifest, without this one's own.

    Those of a different project and manifest are not among them: nothing connects them with this one. An environment
    whose manifest is not known counts as this one's. So does one whose recorded manifest no longer exists, if it was at
    the same place of the same repository: the checkout was moved.
    """
    path = _relative(file, root)
    found = {}
    for name, each in applied.items():
        if each.project != project:
            if each.manifest == path:
                found[name] = OtherOwner(project=each.project)
        elif each.manifest not in {"", path} and not _was_moved(each, file, root):
            found[name] = OtherOwner(manifest=recorded_manifest(each, root))
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
