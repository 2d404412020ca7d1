"""Returns what pip prints for an editable install: `-e` with its repository, or with comments if it has none."""

import os
import re
from pathlib import PurePath
from urllib.parse import quote

from reconciler.git.working_tree import Repository, find_repository
from reconciler.redaction import redact_url

_SCP = re.compile(r"^(\w+@)?([^/:]+):(\w[^:]*)$")  # git@example.com:foo/bar.git
_UNKNOWN = "## !! Could not determine repository location"


def editable_lines(location: str, name: str, shown: str) -> list[str]:
    """Return pip's lines for the editable project at `location` (absolute); `shown` is its `name==version`.

    For Mercurial, Subversion and Bazaar, and if git's files are not enough, it is the comment that pip prints then.
    """
    location = os.path.abspath(location)  # noqa: PTH100
    repository = find_repository(location)
    has_git = os.path.exists(f"{location}/.git")  # noqa: PTH110
    other = _other_root(location)
    if other and len(other) >= (len(location) if has_git else len(repository.top) if repository else 0):
        return [_UNKNOWN, f"-e {location}"]
    if repository is None and not has_git:
        return [f"# Editable install with no version control ({shown})", f"-e {location}"]
    if repository is None and os.path.isfile(f"{location}/.git"):  # noqa: PTH113  # points to nothing: git fails
        return [_UNKNOWN, f"-e {location}"]
    remote = _remote(repository) if repository else None
    if repository is None or remote is None:
        return [f"# Editable Git install with no remote ({shown})", f"-e {location}"]
    url = _pip_url(remote)
    if url is None:
        reason = f"# Editable Git install ({shown}) with either a deleted local remote or invalid URI:"
        return [reason, f"# '{redact_url(remote)}'", f"-e {location}"]
    commit = repository.commit()
    if commit is None:
        return [_UNKNOWN, f"-e {location}"]
    requirement = f"git+{redact_url(url)}@{quote(commit, '/')}#egg={name.replace('-', '_')}"
    subdirectory = _subdirectory(location, repository)
    return [f"-e {requirement}&subdirectory={subdirectory}" if subdirectory else f"-e {requirement}"]


def _other_root(location: str) -> str:
    """Return the root of the innermost repository around `location` that is not git's, empty if there is none."""
    if any(os.path.exists(f"{location}/{name}") for name in (".svn", ".bzr", ".hg")):  # noqa: PTH110
        return location
    parent = location
    while parent != "/":
        parent = os.path.dirname(parent)  # noqa: PTH120
        if os.path.isdir(f"{parent.rstrip('/')}/.hg"):  # noqa: PTH112
            return parent
    return ""


def _remote(repository: Repository) -> str | None:
    """Return the remote that pip uses: `origin`, else the first one. Like pip, it ends at the first blank."""
    lines = "\n".join(f"remote.{name}.url {url}" for name, url in repository.remotes()).splitlines()
    line = next((each for each in lines if each.startswith("remote.origin.url ")), lines[0] if lines else None)
    return line.split(" ")[1].strip() if line is not None and " " in line else None


def _pip_url(remote: str) -> str | None:
    """Return a git remote in a form that pip accepts, None if there is none (pip's `_git_remote_to_pip_url`)."""
    if re.match(r"\w+://", remote):
        return remote
    if remote.startswith("/") and os.path.exists(remote):  # noqa: PTH110
        return PurePath(remote).as_uri()
    match = _SCP.match(remote)
    return match.expand(r"ssh://\1\2/\3") if match else None


def _subdirectory(location: str, repository: Repository) -> str:
    """Return the project's path relative to the repository's root, which for pip is the git directory's parent."""
    if repository.linked:
        root = os.path.dirname(repository.git_dir)  # noqa: PTH120
    else:
        root = location if repository.top == location else os.path.realpath(repository.top)
    project = location
    while not any(os.path.isfile(f"{project}/{name}") for name in ("pyproject.toml", "setup.py")):  # noqa: PTH113
        if project == "/":
            return ""
        project = os.path.dirname(project)  # noqa: PTH120
    try:
        return "" if os.path.samefile(root, project) else os.path.relpath(project, root)  # noqa: PTH121
    except OSError:
        return ""
