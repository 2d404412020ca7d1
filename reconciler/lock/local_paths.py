"""The files and directories of this machine that a lock names: each must be where the manifest may name one."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from reconciler.errors import LockError
from reconciler.manifest.reach import Reach
from reconciler.manifest.text_file import UnreadableFileError
from reconciler.manifest.urls import path_of_direct_url


def require_local_paths(packages: Sequence[Mapping[str, Any]], base: Path, reach: Reach, shown: str) -> None:
    """Raise LockError if a package (PEP 751) comes from a path that the manifest may not name.

    Relative paths start at `base`; `shown` is the lock for messages. The files of an index may be anywhere: the
    manifest declares its directory.
    """
    for package in packages:
        for path in _local_paths(package):
            try:
                reach.require(base / path, is_project="archive" not in package)
            except UnreadableFileError as error:
                message = f"{shown}: the source of `{package.get('name')}` is {error.message}"
                raise LockError(message, hint=error.hint) from error


def _local_paths(package: Mapping[str, Any]) -> Iterator[Path]:
    for table in (package.get(key) for key in ("vcs", "directory", "archive")):
        if not isinstance(table, Mapping):
            continue
        if isinstance(table.get("path"), str):
            yield Path(table["path"])
        url = table.get("url")
        if isinstance(url, str) and "file:" in url.lower() and (path := path_of_direct_url(url)):
            yield path
