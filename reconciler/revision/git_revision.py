"""One revision of the git repository that a manifest lies in, read by dulwich.

Not by the `git` command: a repository's own configuration can name programs for it to run. Nothing is written either.
"""

import os
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from reconciler.errors import RevisionError, UsageError
from reconciler.manifest.text_file import UnreadableFileError
from reconciler.revision.git_errors import HISTORY, understood

if TYPE_CHECKING:
    from dulwich.objects import ObjectID, ShaFile
    from dulwich.repo import Repo

SUBMODULE = 0o160000
_LINKS_FOLLOWED = 40  # as Linux does (path_resolution(7))
_WHOLE = "fetch all of it: a clone that was made with --filter has not got the files of other revisions"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What a revision has at `path` (from the repository's top, without links); `id` is git's object name."""

    path: str
    mode: int
    id: "ObjectID"


@dataclass(frozen=True, slots=True, kw_only=True)
class Revision:
    """The tree of one commit; `name` is what the user called it, `repository` the work tree's top without links."""

    name: str
    repository: Path
    git: "Repo" = field(repr=False)
    top: Entry
    _trees: dict[bytes, Mapping[str, tuple[int, "ObjectID"]]] = field(default_factory=dict, repr=False)

    def find(self, path: str) -> Entry | None:
        """Return what is at `path`, links within the repository followed; None where nothing is.

        Raises UnreadableFileError for a link that leads out of the repository, and for what is in a submodule.
        """
        rest = path.split("/")[::-1]
        trail = [self.top]
        links = 0
        while rest:
            part, here = rest.pop(), trail[-1]
            if part in {"", "."}:
                continue
            if part == "..":
                trail.pop()
                if not trail:
                    raise UnreadableFileError("a link that leads out of the repository")
                continue
            if here.mode == SUBMODULE:
                raise UnreadableFileError("in a submodule, which has revisions of its own")
            found = self._tree(here.id).get(part) if stat.S_ISDIR(here.mode) else None
            if found is None:
                return None
            mode, name = found
            if stat.S_ISLNK(mode):
                links += 1
                if links > _LINKS_FOLLOWED:
                    raise UnreadableFileError("too many symbolic links")
                target = os.fsdecode(self.content(name))
                if target.startswith("/"):
                    raise UnreadableFileError("a link that leads out of the repository")
                rest += target.split("/")[::-1]
            else:
                trail.append(Entry(path=f"{here.path}/{part}".lstrip("/"), mode=mode, id=name))
        return trail[-1]

    def content(self, blob: "ObjectID") -> bytes:
        """Return a blob's bytes."""
        with understood(self.name):
            return bytes(self._object(blob).as_raw_string())

    def files_below(self, entry: Entry) -> Iterator[tuple[str, int, str]]:
        """Yield path (from `entry`), mode and object name of every file, link and submodule below a directory."""
        waiting = [("", entry.id)]
        while waiting:
            above, tree = waiting.pop()
            for part, (mode, name) in self._tree(tree).items():
                if stat.S_ISDIR(mode):
                    waiting.append((f"{above}{part}/", name))
                else:
                    yield f"{above}{part}", mode, name.decode("ascii")

    def _tree(self, name: "ObjectID") -> Mapping[str, tuple[int, "ObjectID"]]:
        from dulwich.objects import Tree

        if name not in self._trees:
            with understood(self.name):
                tree = self._object(name)
                if not isinstance(tree, Tree):
                    raise TypeError(f"{name.decode('ascii', 'replace')} is no tree")
                self._trees[name] = {os.fsdecode(each.path): (each.mode, each.sha) for each in tree.iteritems()}
        return self._trees[name]

    def _object(self, name: "ObjectID") -> "ShaFile":
        try:
            return self.git.object_store[name]
        except KeyError as error:
            missing = f"git's object {name.decode('ascii', 'replace')} is not here"
            raise RevisionError(f"{self.name} cannot be read: {missing}", hint=_WHOLE) from error


@contextmanager
def open_revision(directory: Path, name: str) -> Iterator[Revision]:
    """Yield the revision `name` (branch, tag, commit, `HEAD~1`) of the repository that `directory` is in.

    Raises UsageError without dulwich, RevisionError without a repository or such a revision in it.
    """
    try:
        from dulwich.objects import Commit
        from dulwich.repo import Repo
    except ImportError as error:
        hint = "install `envsync-reconciler[git]`"
        raise UsageError("--against needs dulwich, which reads git without running it", hint=hint) from error
    real = Path(os.path.realpath(directory))
    repository = next((each for each in (real, *real.parents) if os.path.lexists(each / ".git")), None)
    if repository is None:
        hint = "--against compares with a revision of the repository that the manifest is in"
        raise RevisionError(f"{real}: not in a git repository", hint=hint)
    with understood(f"the git repository {repository}", hint="`git fsck` says more"):
        git = Repo(str(repository))
    with git:
        with understood(name):
            try:
                found = _resolved(git, os.fsencode(name))
            except (KeyError, ValueError) as error:
                raise RevisionError(f"no revision `{name}` in {repository}", hint=HISTORY) from error
            if not isinstance(found, Commit):
                raise RevisionError(f"`{name}` is no commit", hint="name a branch, a tag or a commit")
            tree = found.tree
        yield Revision(name=name, repository=repository, git=git, top=Entry(path="", mode=stat.S_IFDIR, id=tree))


def _resolved(git: "Repo", name: bytes) -> "ShaFile":
    """Return the object that a name stands for, tags followed; raises KeyError or ValueError."""
    from dulwich.objects import Tag
    from dulwich.objectspec import parse_commit, parse_object

    try:
        return parse_commit(git, name)  # a branch, a tag, an object's name or the beginning of one
    except (KeyError, ValueError):
        found = parse_object(git, name)  # `HEAD~1`
    while isinstance(found, Tag):
        found = git.object_store[found.object[1]]
    return found
