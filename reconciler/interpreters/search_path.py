"""Which directories are searched for interpreters.

The fast path uses it too, so it imports nothing.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

# Besides those of the system: Homebrew on macOS and Linux, MacPorts, and NixOS.
FIXED = (
    "/usr/bin",
    "/usr/local/bin",
    "/opt/homebrew/bin",
    "/opt/local/bin",
    "/home/linuxbrew/.linuxbrew/bin",
    "/run/current-system/sw/bin",
)
_PYTHON_ORG = "/Library/Frameworks/Python.framework/Versions"  # the installers for macOS


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
    """Yield the directories that hold a directory for each installed version: those of version managers."""
    home = ambient.get("HOME", "/").rstrip("/")
    data = ambient.get("XDG_DATA_HOME") or f"{home}/.local/share"
    for directory in (
        f"{ambient.get('PYENV_ROOT') or f'{home}/.pyenv'}/versions",
        ambient.get("UV_PYTHON_INSTALL_DIR") or f"{data}/uv/python",
        f"{ambient.get('ASDF_DATA_DIR') or f'{home}/.asdf'}/installs/python",
        f"{ambient.get('MISE_DATA_DIR') or f'{data}/mise'}/installs/python",
        _PYTHON_ORG,
    ):
        if directory.startswith("/"):
            yield "/" + "/".join(each for each in directory.split("/") if each not in {"", "."})


def is_searched(directory: str, ambient: Mapping[str, str]) -> bool:
    """Return whether a search with these variables looks into `directory`, if that exists."""
    if directory in FIXED or directory in entries_of_path(ambient):
        return True
    version, _, name = directory.rpartition("/")
    versions, _, installed = version.rpartition("/")
    return name == "bin" and bool(installed) and versions in directories_of_versions(ambient)
