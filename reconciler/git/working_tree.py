"""Reads remotes and commit of a working tree from git's files (gitrepository-layout): git could run its code.

Only the repository's own config is read. A user's config, included files, `insteadOf`, `safe.directory` and the `GIT_*`
variables are ignored. Refs in a reftable are not read.
"""

import os
import re
from contextlib import suppress
from dataclasses import dataclass

from reconciler.fs.read import read_regular

_COMMIT = re.compile(r"^(?:[0-9a-f]{40}|[0-9a-f]{64})$")
_SECTION = re.compile(r'\s*\[\s*(?P<name>[A-Za-z0-9.-]+)(?:\s+"(?P<sub>(?:[^"\\]|\\.)*)")?\s*\]')
_VARIABLE = re.compile(r"\s*(?P<key>[A-Za-z][A-Za-z0-9-]*)[ \t]*(?:=(?P<value>.*))?$", re.DOTALL)
_ESCAPES = {"n": "\n", "t": "\t", "b": "\b"}
_MOST_LINKS = 5  # as in git: the number of symbolic refs that are followed from HEAD


@dataclass(frozen=True, slots=True, kw_only=True)
class Repository:
    """A git working tree: its top directory, its own git directory, and the git directory that working trees share.

    `linked` means that `.git` is a file: this is an additional working tree or a submodule.
    """

    top: str
    git_dir: str
    common_dir: str
    linked: bool

    def remotes(self) -> list[tuple[str, str]]:
        """Return the name and URL of each remote in the config, in order."""
        return _remotes(_text(f"{self.common_dir}/config") or "")

    def commit(self) -> str | None:
        """Return the commit that HEAD points to (hexadecimal), None if there is none yet or refs are in a reftable."""
        text = _head(self.git_dir)
        for _ in range(_MOST_LINKS):
            if text is None:
                return None
            if _COMMIT.match(text):
                return text
            if not text.startswith("ref:"):
                return None
            text = self._ref(text.removeprefix("ref:").strip())
        return None

    def tags(self) -> dict[str, str]:
        """Return the object name of each tag by its ref; refs in a reftable are not read."""
        found = {}
        for line in (_text(f"{self.common_dir}/packed-refs") or "").splitlines():
            object_name, _, name = line.partition(" ")
            if name.startswith("refs/tags/") and _COMMIT.match(object_name):
                found[name.strip()] = object_name
        base = f"{self.common_dir}/refs/tags"
        for folder, _, files in os.walk(base):
            for file in files:
                path = os.path.join(folder, file)  # noqa: PTH118
                text = _text(path)
                if text is not None:
                    found[path.removeprefix(f"{self.common_dir}/")] = text.strip()
        return found

    def _ref(self, name: str) -> str | None:
        """Return the value of a ref from its own file, of the working tree or shared, else from packed-refs."""
        if not name.startswith("refs/") or ".." in name.split("/"):
            return None
        for directory in dict.fromkeys((self.git_dir, self.common_dir)):
            text = _text(f"{directory}/{name}")
            if text is not None:
                return text.strip()
        for line in (_text(f"{self.common_dir}/packed-refs") or "").splitlines():
            commit, _, packed = line.partition(" ")
            if packed.strip() == name and not line.startswith(("#", "^")):
                return commit
        return None


def find_repository(directory: str) -> Repository | None:
    """Return the working tree that `directory` (absolute) is in.

    None if there is none below the next mount point upwards, or if the repository is bare.
    """
    directory = os.path.normpath(directory)
    with suppress(OSError):
        device = os.stat(directory).st_dev  # noqa: PTH116
        while os.stat(directory).st_dev == device:  # noqa: PTH116
            dot_git = f"{directory.rstrip('/')}/.git"
            if os.path.isfile(dot_git):  # noqa: PTH113
                return _linked(directory, dot_git)
            if _is_git_dir(dot_git):
                return Repository(top=directory, git_dir=dot_git, common_dir=_common(dot_git), linked=False)
            if _is_git_dir(directory) or directory == "/":
                return None
            directory = os.path.dirname(directory)  # noqa: PTH120
    return None


def working_trees_around(directory: str) -> tuple[str, ...]:
    """Return the working trees whose commits decide what is in `directory` (a real path), innermost first.

    That is the one that it is in, for an additional working tree also the main one, and for a submodule the one that
    contains it. Anything called `.git` counts, whether git would accept it or not.
    """
    found: list[str] = []
    while True:
        dot_git = f"{directory.rstrip('/')}/.git"
        if os.path.lexists(dot_git):
            found.append(directory)
            if os.path.isdir(dot_git):  # noqa: PTH112
                break
            linked = _linked(directory, dot_git)
            main, named, _ = (linked.git_dir if linked else "").partition("/.git/")
            found += [main] if named else []
        if directory == "/":
            break
        directory = os.path.dirname(directory)  # noqa: PTH120
    return tuple(dict.fromkeys(found))


def _linked(top: str, dot_git: str) -> Repository | None:
    text = _text(dot_git) or ""
    if not text.startswith("gitdir: "):
        return None
    named = text.removeprefix("gitdir: ").rstrip("\r\n").replace("\0", "")
    git_dir = os.path.realpath(os.path.join(top, named))  # noqa: PTH118
    if not _is_git_dir(git_dir):
        return None
    return Repository(top=top, git_dir=git_dir, common_dir=_common(git_dir), linked=True)


def _is_git_dir(path: str) -> bool:
    head = _head(path)
    if head is None or not (head.startswith("ref:") or _COMMIT.match(head)):
        return False
    common = _common(path)
    return os.path.isdir(f"{common}/objects") and os.path.isdir(f"{common}/refs")  # noqa: PTH112


def _common(git_dir: str) -> str:
    text = _text(f"{git_dir}/commondir")
    return os.path.normpath(os.path.join(git_dir, text.strip())) if text else git_dir  # noqa: PTH118


def _head(git_dir: str) -> str | None:
    """Return the contents of HEAD; in old repositories it is a symbolic link to the ref."""
    try:
        target = os.readlink(f"{git_dir}/HEAD")  # noqa: PTH115
    except OSError:
        text = _text(f"{git_dir}/HEAD")
        return None if text is None else text.strip()
    return f"ref: {target}"


def _remotes(config: str) -> list[tuple[str, str]]:
    """Return the name and URL of each remote in the text of a git config, in order."""
    found = []
    section, sub = "", ""
    for line in _logical_lines(config):
        rest = line
        if match := _SECTION.match(line):
            section, _, old = match["name"].lower().partition(".")
            sub = re.sub(r"\\(.)", r"\1", match["sub"]) if match["sub"] is not None else old
            rest = line[match.end() :]
        variable = _VARIABLE.match(rest)
        if variable and section == "remote" and variable["key"].lower() == "url" and variable["value"] is not None:
            found.append((sub, _value(variable["value"])))
    return found


def _logical_lines(text: str) -> list[str]:
    """Return the lines of a git config; a line that ends in a backslash is joined with the next one."""
    lines: list[str] = []
    joined = ""
    for line in text.replace("\r\n", "\n").split("\n"):
        stripped = joined + line
        if not line.lstrip().startswith(("#", ";")) and (len(line) - len(line.rstrip("\\"))) % 2:
            joined = stripped[:-1]
            continue
        lines.append(stripped)
        joined = ""
    return lines


def _value(text: str) -> str:
    """Return a config value without quotes, escapes, comment and surrounding blanks."""
    out, quoted, position, keep = "", False, 0, 0
    text = text.lstrip()
    while position < len(text):
        char = text[position]
        if char == '"':
            quoted = not quoted
            keep = len(out)
        elif char == "\\" and position + 1 < len(text):
            position += 1
            out += _ESCAPES.get(text[position], text[position])
            keep = len(out)
        elif char in "#;" and not quoted:
            break
        else:
            out += char
            keep = len(out) if quoted or not char.isspace() else keep
        position += 1
    return out[:keep]


def _text(path: str) -> str | None:
    with suppress(OSError, ValueError):  # ValueError: another file named a path with a null character
        return read_regular(os.path.realpath(path), limit=256 * 1024 * 1024).decode("utf-8", "surrogateescape")
    return None
