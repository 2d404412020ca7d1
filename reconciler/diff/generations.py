"""Compare two generations of one environment: packages, files, settings, interpreter and size."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from reconciler.diff.masking import NO_KEY, Mask
from reconciler.diff.model import PackageAction, SettingChange
from reconciler.diff.packages import version_action
from reconciler.diff.settings import setting_changes
from reconciler.diff.source_change import SourceChange, source_change
from reconciler.observe.generation_contents import GenerationContents
from reconciler.state.applied import AppliedInterpreter


class FileChange(StrEnum):
    """How one file differs."""

    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"


@dataclass(frozen=True, slots=True, kw_only=True)
class PackageDifference:
    """One package; `before` and `after` are versions, None if it is not installed.

    With the action `change` the version is the same, but it comes from a different file or source. `source` is how its
    source changed, None if host, hash and publisher did not.
    """

    name: str
    action: PackageAction
    before: str | None
    after: str | None
    source: SourceChange | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FileDifference:
    """One file: its path in the environment, how it differs, and the package that lists it (empty if none does)."""

    path: str
    change: FileChange
    package: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GenerationSide:
    """What is said of each of the two generations; `size` is the sum of the files' sizes in bytes."""

    generation: int
    created: str
    interpreter: AppliedInterpreter
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class GenerationDiff:
    """How generation `after` of an environment differs from `before`; packages, files and settings are sorted.

    `startup` are those of `files` by which Python runs code at every start, in one of the two generations.
    """

    name: str
    before: GenerationSide
    after: GenerationSide
    packages: tuple[PackageDifference, ...]
    files: tuple[FileDifference, ...]
    settings: tuple[SettingChange, ...]
    startup: tuple[FileDifference, ...] = ()

    @property
    def differs(self) -> bool:
        """Return whether anything but number, time and size differs."""
        python = self.before.interpreter != self.after.interpreter
        return python or bool(self.packages or self.files or self.settings)


def diff_generations(
    name: str, before: GenerationContents, after: GenerationContents, mask: Mask = NO_KEY
) -> GenerationDiff:
    """Return how two generations of the environment `name` differ; `mask` masks what is not public."""
    files = tuple(_files(before, after))
    startup = before.startup | after.startup
    return GenerationDiff(
        name=name,
        before=_side(before),
        after=_side(after),
        packages=tuple(_packages(before, after)),
        files=files,
        settings=setting_changes(before.settings, after.settings, mask),
        startup=tuple(each for each in files if each.path in startup),
    )


def _side(contents: GenerationContents) -> GenerationSide:
    return GenerationSide(
        generation=contents.number,
        created=contents.created,
        interpreter=contents.interpreter,
        size=contents.size,
    )


def _packages(before: GenerationContents, after: GenerationContents) -> list[PackageDifference]:
    found = []
    for name in sorted(before.installed.keys() | after.installed.keys()):
        old, new = before.installed.get(name), after.installed.get(name)
        if old == new and before.locked.get(name) == after.locked.get(name):
            continue
        versions = _version(old), _version(new)
        action = _action(*versions)
        sources = [each.source if each else None for each in (before.locked.get(name), after.locked.get(name))]
        source = source_change(*sources, same_version=action is PackageAction.CHANGE)
        found.append(PackageDifference(name=name, action=action, before=versions[0], after=versions[1], source=source))
    return found


def _version(identity: str | None) -> str | None:
    """Return the version in the identity of a distribution, which may be followed by its origin."""
    return None if identity is None else identity.partition(" ")[0]


def _action(before: str | None, after: str | None) -> PackageAction:
    if before is None:
        return PackageAction.INSTALL
    if after is None:
        return PackageAction.REMOVE
    return version_action(before, after)


def _files(before: GenerationContents, after: GenerationContents) -> list[FileDifference]:
    found = []
    for path in sorted(before.files.keys() | after.files.keys()):
        change = _file_change(path, before.files, after.files)
        if change is not None:
            package = after.owners.get(path) or before.owners.get(path, "")
            found.append(FileDifference(path=path, change=change, package=package))
    return found


def _file_change(path: str, before: Mapping[str, bytes], after: Mapping[str, bytes]) -> FileChange | None:
    if path not in before:
        return FileChange.ADDED
    if path not in after:
        return FileChange.REMOVED
    return None if before[path] == after[path] else FileChange.CHANGED
