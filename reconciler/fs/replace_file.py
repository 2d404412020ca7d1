"""Replace a file whose inode other paths may share, such as one that was installed from a package cache."""

from pathlib import Path

from reconciler.fs.sync import naming


def replace_file(path: Path, content: bytes) -> None:
    """Write a new file with the mode of the one at `path` in its place; other links to that one stay as they are.

    It is not atomic: use it where nothing else reads yet. Raises OSError with a path.
    """
    mode = path.stat().st_mode & 0o777
    path.unlink()
    with naming(path):
        path.write_bytes(content)
    path.chmod(mode)
