"""Find the environments that a manifest left behind when its `root` changed."""

import os
from contextlib import suppress
from pathlib import Path

from reconciler.backticks import list_in_backticks
from reconciler.errors import StateError
from reconciler.manifest import defaults
from reconciler.manifest.desired import DesiredState
from reconciler.state.applied import Applied
from reconciler.state.layout import Layout
from reconciler.state.owner import recorded_manifest
from reconciler.state.store import State


def former_root_notes(desired: DesiredState) -> tuple[str, ...]:
    """Return a sentence for each other root next to the manifest in which this manifest applied environments.

    Only the directories next to the manifest are looked at: nothing names a former root elsewhere.
    """
    file = desired.file.absolute()
    notes = []
    for root in _roots(file.parent):
        with suppress(StateError):  # a directory there that cannot be read must not stop a plan for this root
            last = {} if root == desired.root else State.at(root).last_applied()
            names = [
                name for name, each in last.items() if each.project == desired.project and _is_of(each, root, file)
            ]
            if names:
                left = f"{list_in_backticks(names)} {'was' if len(names) == 1 else 'were'} applied in `{root}`"
                former = root.relative_to(file.parent)
                notes.append(
                    f"{left} and stay there; to delete them, write `root: {former}` and run "
                    f"`envsync destroy {' '.join(names)}`"
                )
    return tuple(notes)


def _is_of(applied: Applied, root: Path, file: Path) -> bool:
    """Return whether a manifest applied an environment; a record without a manifest counts as this one's."""
    return not applied.manifest or os.path.realpath(recorded_manifest(applied, root)) == os.path.realpath(file)


def _roots(directory: Path) -> list[Path]:
    """Return the directories directly below `directory` that have records, the default root first."""
    try:
        with os.scandir(directory) as found:
            names = [each.name for each in found if each.is_dir(follow_symlinks=False)]
    except OSError:
        return []
    roots = [directory / name for name in sorted(names, key=lambda name: (name != defaults.ROOT, name))]
    # Not `Path.is_dir`, which raises an error for a directory that may not be searched.
    return [root for root in roots if os.path.isdir(Layout(root).records)]  # noqa: PTH112
