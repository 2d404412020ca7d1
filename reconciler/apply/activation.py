"""Activate scripts name the environment's path, not a generation: an activated shell follows what is published."""

import os
from pathlib import Path

from reconciler.fs.atomic_write import naming


def rewrite_activation(venv: Path, path: Path) -> None:
    """Replace `venv` by `path` in every `bin/activate*` script, keeping modes."""
    old, new = os.fsencode(venv), os.fsencode(path)
    for script in sorted((venv / "bin").glob("activate*")):
        if script.is_symlink() or not script.is_file():
            continue
        content = script.read_bytes()
        if old in content:
            _replace(script, content.replace(old, new))


def _replace(script: Path, content: bytes) -> None:
    """Write a new file in the script's place: the old one's inode may be shared with the engine's cache."""
    mode = script.stat().st_mode & 0o777
    script.unlink()
    with naming(script):
        script.write_bytes(content)
    script.chmod(mode)
