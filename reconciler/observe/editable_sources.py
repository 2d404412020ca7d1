"""Finds from which files and directories an editable install imports its modules, without running any of its code.

A build backend writes them into the environment: as a line of a `.pth` file, as the mapping of an import finder
(setuptools: `MAPPING`), or as calls of `map_module` (the library editables, which several backends use).
"""

import ast
import os
from collections.abc import Iterable, Iterator

from reconciler.fs.read import read_inside

_MODULES = ("__editable__", "__editables_")  # how the names of the modules begin that have a mapping


def editable_sources(site: str, boundary: str, recorded: Iterable[str]) -> list[tuple[str, str]]:
    """Return each absolute path that the modules are imported from, with the name of the file that says so.

    `site` is the site-packages directory (absolute) and `recorded` the paths in the RECORD of the install, relative to
    it. Files that cannot be read or parsed have no paths: they are compared with the inventory. No symbolic link may
    point out of the directory `boundary`.
    """
    found: list[tuple[str, str]] = []
    for name in sorted(each for each in recorded if "/" not in each):
        mapping = name.startswith(_MODULES) and name.endswith(".py")
        if not mapping and not name.endswith(".pth"):
            continue
        try:
            text = read_inside(f"{site}/{name}", boundary).decode("utf-8-sig")
            paths = list(_mapped_paths(text) if mapping else _pth_paths(text, site))
        except (OSError, ValueError, SyntaxError, RecursionError, MemoryError):
            continue
        found += [(path, name) for path in dict.fromkeys(paths)]
    return found


def is_module_without_suffix(path: str, file: str) -> bool:
    """Return whether a file at `path` with a suffix is a module, as the finder `file` of setuptools looks for it.

    setuptools maps a module that is a single file to its path without `.py`, `.so` or another suffix.
    """
    if not file.endswith("_finder.py"):
        return False
    directory, _, name = path.rpartition("/")
    try:
        files = os.listdir(directory)  # no pathlib here
    except OSError:
        return False
    return any(each.startswith(f"{name}.") and each.endswith((".py", ".pyc", ".so")) for each in files)


def _pth_paths(text: str, site: str) -> Iterator[str]:
    """Yield the directories in a `.pth` file as site.py reads it; its `import` lines are not run."""
    for line in text.splitlines():
        if line.strip() and not line.startswith(("#", "import ", "import\t")) and "\0" not in line:
            yield os.path.normpath(os.path.join(site, line.rstrip()))  # noqa: PTH118


def _mapped_paths(text: str) -> Iterator[str]:
    """Yield the absolute paths of a mapping from modules to files; raises SyntaxError or ValueError."""
    for node in ast.walk(ast.parse(text)):
        values: list[ast.expr] = []
        match node:
            case ast.Assign(targets=[ast.Name(id="MAPPING")], value=ast.Dict(values=mapped)):
                values = mapped
            case ast.AnnAssign(target=ast.Name(id="MAPPING"), value=ast.Dict(values=mapped)):
                values = mapped
            case ast.Call(func=ast.Attribute(attr="map_module"), args=[_, mapped_to]):
                values = [mapped_to]
        for value in values:
            if isinstance(value, ast.Constant) and isinstance(value.value, str) and value.value.startswith("/"):
                yield value.value
