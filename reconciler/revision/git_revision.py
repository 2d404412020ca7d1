"""One revision of the git repository that contains the manifest, read with dulwich.

The `git` command is not used, because a repository's own configuration can name programs that it runs. Nothing is
written to the repository.
"""

import os
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from reconciler import __version__
from reconciler.backticks import in_backticks
from reconciler.errors import RevisionError, UsageError
from reconciler.fs.repository_top import repository_of
from reconciler.git.index_file import SUBMODULE
from reconciler.manifest.text_file import UnreadableFileError
from reconciler.revision.git_errors import FETCH_HINT, translate_git_errors

if TYPE_CHECKING:
    from dulwich.objects import ObjectID, ShaFile
    from dulwich.repo import Repo

REPOSITORY = "https://github.com/envsync/envsync"  # of envsync itself, as in pyproject.toml
_MAX_LINKS = 40  # as on Linux (path_resolution(7))
_COMPLETE_CLONE_HINT = "use a complete clone: one made with `--filter` lacks the files of other revisions"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A file or directory of a revision; `path` is relative to the repository's top, without links.

    `id` is the name of the git object.
    """

    path: str
    mode: int
    id: "ObjectID"


@dataclass(frozen=True, slots=True, kw_only=True)
class Revision:
    """The tree of one commit; `name` is the revision as the user wrote it.

    `repository` is the top of the working tree, without links.
    """

    name: str
    repository: Path
    git: "Repo" = field(repr=False)
    top: Entry
    _trees: dict[bytes, Mapping[str, tuple[int, "ObjectID"]]] = field(default_factory=dict, repr=False)

    def find(self, path: str) -> Entry | None:
        """Return the entry at `path`, following links within the repository; None if there is none.

        Raises UnreadableFileError for a link that points out of the repository, and for a path inside a submodule.
        """
        rest = path.split("/")[::-1]
        trail = [self.top]
        links = 0
        while rest:
            part, parent = rest.pop(), trail[-1]
            if part in {"", "."}:
                continue
            if part == "..":
                trail.pop()
                if not trail:
                    raise UnreadableFileError("a symbolic link that points out of the repository", hint="")
                continue
            if parent.mode == SUBMODULE:
                raise UnreadableFileError("inside a submodule, which has its own revisions", hint="")
            found = self._tree(parent.id).get(part) if stat.S_ISDIR(parent.mode) else None
            if found is None:
                return None
            mode, name = found
            if stat.S_ISLNK(mode):
                links += 1
                if links > _MAX_LINKS:
                    raise UnreadableFileError("too many symbolic links", hint="")
                target = os.fsdecode(self.content(name))
                if target.startswith("/"):
                    raise UnreadableFileError("a symbolic link that points out of the repository", hint="")
                rest += target.split("/")[::-1]
            else:
                trail.append(Entry(path=f"{parent.path}/{part}".lstrip("/"), mode=mode, id=name))
        return trail[-1]

    def content(self, blob: "ObjectID") -> bytes:
        """Return a blob's bytes."""
        with translate_git_errors(in_backticks(self.name)):
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
            with translate_git_errors(in_backticks(self.name)):
                tree = self._object(name)
                if not isinstance(tree, Tree):
                    raise TypeError(f"`{name.decode('ascii', 'replace')}` is not a tree")
                self._trees[name] = {os.fsdecode(each.path): (each.mode, each.sha) for each in tree.iteritems()}
        return self._trees[name]

    def _object(self, name: "ObjectID") -> "ShaFile":
        try:
            return self.git.object_store[name]
        except KeyError as error:
            missing = f"the repository lacks the object `{name.decode('ascii', 'replace')}`"
            raise RevisionError(
                f"{in_backticks(self.name)} could not be read: {missing}", hint=_COMPLETE_CLONE_HINT
            ) from error


@contextmanager
def open_revision(directory: Path, name: str) -> Iterator[Revision]:
    """Yield the revision `name` (branch, tag, commit, `HEAD~1`) of the repository that contains `directory`.

    Raises UsageError if dulwich is not installed, or RevisionError if repository or revision do not exist.
    """
    try:
        from dulwich.objects import Commit
        from dulwich.repo import Repo
    except ImportError as error:
        hint = f'run `pip install "envsync-reconciler[git] @ git+{REPOSITORY}@v{__version__}"`'
        raise UsageError(
            "`--against` requires dulwich, which reads git repositories without running git", hint=hint
        ) from error
    real = Path(os.path.realpath(directory))
    repository = repository_of(real)
    if repository is None:
        hint = "use `--against` with a manifest in a git repository"
        raise RevisionError(f"{real}: not in a git repository", hint=hint)
    with translate_git_errors(f"the git repository `{repository}`", hint="run `git fsck` to find the problem"):
        git = Repo(str(repository))
    with git:
        with translate_git_errors(in_backticks(name)):
            try:
                found = _resolved(git, os.fsencode(name))
            except (KeyError, ValueError) as error:
                raise RevisionError(
                    f"revision {in_backticks(name)} not found in `{repository}`",
                    hint=f"correct the name, or {FETCH_HINT}",
                ) from error
            if not isinstance(found, Commit):
                raise RevisionError(f"{in_backticks(name)} is not a commit", hint="use a branch, a tag or a commit")
            tree = found.tree
        yield Revision(name=name, repository=repository, git=git, top=Entry(path="", mode=stat.S_IFDIR, id=tree))


def _resolved(git: "Repo", name: bytes) -> "ShaFile":
    """Return the commit with a name, or another object if none has it; raises KeyError or ValueError."""
    from dulwich.objectspec import parse_commit, parse_object

    try:
        return parse_commit(git, name)  # a branch, a tag, or an object name, complete or abbreviated
    except (KeyError, ValueError):
        return parse_object(git, name)  # `HEAD~1`
