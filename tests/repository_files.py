"""The files of this repository: those that git lists, or those of an unpacked source distribution."""

import subprocess
from pathlib import Path

ROOT = Path(__file__).parent.parent
_GENERATED = frozenset({".venv", ".git", "__pycache__", ".mypy_cache", ".ruff_cache", ".pytest_cache", ".hypothesis"})


def repository_files(*directories: str) -> list[Path]:
    """Return the paths of all files, or of those below `directories`, relative to the repository's top, sorted."""
    if (ROOT / ".git").exists():
        done = subprocess.run(
            ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", *directories],
            cwd=ROOT, capture_output=True, check=True,
        )  # fmt: skip
        listed = (Path(name.decode("utf-8", "surrogateescape")) for name in done.stdout.split(b"\0") if name)
    else:
        tops = [ROOT / each for each in directories] or [ROOT]
        listed = (path.relative_to(ROOT) for top in tops for path in top.rglob("*") if not _GENERATED & set(path.parts))
    return sorted(path for path in listed if (ROOT / path).is_file())
