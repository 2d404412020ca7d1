"""Which directories are searched for interpreters.

The fast path uses it too, so it imports nothing.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

FIXED = ("/usr/bin", "/usr/local/bin", "/opt/homebrew/bin", "/opt/local/bin")


def entries_of_path(ambient: Mapping[str, str]) -> Iterator[str]:
    """Yield the absolute entries of `PATH`, without redundant slashes; empty and relative ones depend on where one is.

    Shims of pyenv and other tools are left out: the directory decides which interpreter they start.
    """
    for entry in ambient.get("PATH", "").split(":"):
        if entry.startswith("/"):
            directory = "/" + "/".join(each for each in entry.split("/") if each not in {"", "."})
            if not directory.endswith("/shims"):
                yield directory


def directories_of_versions(ambient: Mapping[str, str]) -> Iterator[str]:
    """Yield the directories that hold a directory for each installed version: those of pyenv and of uv."""
    home = ambient.get("HOME", "/").rstrip("/")
    data = ambient.get("XDG_DATA_HOME") or f"{home}/.local/share"
    pyenv = ambient.get("PYENV_ROOT") or f"{home}/.pyenv"
    for directory in (f"{pyenv}/versions", ambient.get("UV_PYTHON_INSTALL_DIR") or f"{data}/uv/python"):
        if directory.startswith("/"):
            yield "/" + "/".join(each for each in directory.split("/") if each not in {"", "."})


def is_searched(directory: str, ambient: Mapping[str, str]) -> bool:
    """Return whether a search with these variables looks into `directory`, if that exists."""
    if directory in FIXED or directory in entries_of_path(ambient):
        return True
    version, _, name = directory.rpartition("/")
    versions, _, installed = version.rpartition("/")
    return name == "bin" and bool(installed) and versions in directories_of_versions(ambient)
