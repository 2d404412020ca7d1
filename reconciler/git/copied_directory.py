"""A `.git` directory for a copy of a working tree, in which `git describe` and `git status` answer as in the original.

It has copies of the small files, and reads the objects of the original (`objects/info/alternates`). So nothing that a
build does with git is written into the user's repository. The `.git` of a linked working tree and of a submodule is a
file: what it points to is copied.
"""

import os
import shutil
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from reconciler.fs.read import read_regular
from reconciler.git.working_tree import Repository

_OWN = ("HEAD", "index", "config.worktree", "info/sparse-checkout")  # of the working tree
_SHARED = ("config", "packed-refs", "shallow", "info/exclude", "info/attributes", "info/grafts")  # of all working trees
_TREES = ("refs", "reftable")
# Of a copied file, only time and size can be as git's index has them. Hooks and monitors belong to the original.
_SETTINGS = """
[core]
\tbare = false
\tworktree = {top}
\tcheckStat = minimal
\ttrustctime = false
\tfsmonitor = false
\tuntrackedCache = false
\thooksPath = /dev/null
[gc]
\tauto = 0
[maintenance]
\tauto = false
"""


def copy_git_directory(repository: Repository, top: Path, *, linked: Iterable[str] = ()) -> None:
    """Make `top/.git` for the copy of a working tree at `top`, whose files have the times of the originals.

    `linked` are paths below `top` that are symbolic links to untracked directories of the original: git ignores them.
    Files that cannot be read are left out. Raises OSError if the copy cannot be written.
    """
    own, shared, made = Path(repository.git_dir), Path(repository.common_dir), top / ".git"
    (made / "info").mkdir(parents=True)
    for directory, names in ((shared, _SHARED), (own, _OWN)):
        for name in names:
            _copy(directory / name, made / name)
    for shared_index in own.glob("sharedindex.*"):
        _copy(shared_index, made / shared_index.name)
    for name in _TREES:
        for directory in dict.fromkeys((shared, own)):
            _copy_tree(directory / name, made / name)
    (made / "refs").mkdir(exist_ok=True)
    (made / "objects" / "info").mkdir(parents=True)
    (made / "objects" / "info" / "alternates").write_bytes(b"%s\n" % _quoted(shared / "objects"))
    for name in ("config", "config.worktree"):  # the second counts for more, if it is used
        if name == "config" or (made / name).exists():
            with (made / name).open("ab") as config:
                config.write(os.fsencode(_SETTINGS.replace("{top}", _config_value(str(top)))))
    with (made / "info" / "exclude").open("ab") as exclude:
        exclude.writelines(b"\n/%s\n" % _pattern(os.fsencode(each)) for each in linked if "\n" not in each)


def _copy(source: Path, copy: Path) -> None:
    with suppress(FileNotFoundError, NotADirectoryError, PermissionError, IsADirectoryError):
        content = read_regular(
            source, follow=True
        )  # a symbolic link (HEAD of an old repository) becomes what it points to
        if source.is_symlink() and source.name == "HEAD":
            content = b"ref: %s\n" % os.fsencode(source.readlink())
        copy.write_bytes(content)


def _copy_tree(source: Path, copy: Path) -> None:
    for folder, _, files in os.walk(source):
        target = copy / Path(folder).relative_to(source)
        target.mkdir(exist_ok=True)
        for name in files:
            if not name.endswith(".lock"):
                with suppress(FileNotFoundError, PermissionError):
                    shutil.copyfile(Path(folder, name), target / name)


def _quoted(path: Path) -> bytes:
    """Return a path for git's list of alternates, in which a path with special bytes is quoted like a C string."""
    text = os.fsencode(path)
    if b"\n" not in text and b'"' not in text:
        return text
    return b'"%s"' % text.replace(b"\\", b"\\\\").replace(b'"', b'\\"').replace(b"\n", b"\\n")


def _config_value(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'


def _pattern(path: bytes) -> bytes:
    """Return a pattern of gitignore that matches exactly `path`."""
    return b"".join(b"\\" + bytes([each]) if each in b"\\*?[ #!" else bytes([each]) for each in path)
