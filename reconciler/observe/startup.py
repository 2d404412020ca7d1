"""Finds the files that make Python run code at every start of an environment, without running any of it.

At every start, site.py runs the `import` lines of `.pth` files, calls the entry points of `.start` files (PEP 829), and
imports `sitecustomize` and `usercustomize`. Before that, a `._pth` file next to the interpreter replaces its import
path (Python 3.11 and later, on every system).

Versions of Python differ in details. Whatever any of them runs counts.
"""

import errno
import hashlib
import os
import re
import stat
from collections.abc import Iterable, Iterator
from dataclasses import replace

from reconciler.backticks import in_backticks
from reconciler.fs.read import read_inside, reason
from reconciler.observe.actual import Finding, FindingCode, StartupFile, StartupState
from reconciler.observe.site import PTH_LIMIT_BYTES, Site, SiteDirectory
from reconciler.state.inode_hashes import LARGEST_HASHED, hash_file
from reconciler.state.inventory import Inventory

_CUSTOMIZE = re.compile(r"(?P<module>sitecustomize|usercustomize)(?:\.pyc?|\.(?:[^./]+\.)?so)?")
_PACKAGE = re.compile(r"__init__(?:\.pyc?|\.(?:[^./]+\.)?so)")
_START_FILES_SINCE = 15  # Python 3.15
_IMPORTS = ("import ", "import\t")
_MARKS = ("\ufeff", "ï»¿")  # the byte order mark of UTF-8, decoded as UTF-8 and as Latin-1
_CODES = {StartupState.ADDED: FindingCode.STARTUP_ADDED, StartupState.CHANGED: FindingCode.STARTUP_CHANGED}


def find_startup_files(venv: str, site: Site) -> tuple[StartupFile, ...]:
    """Return the files by which the environment at `venv` (absolute) runs code at every start, sorted by path.

    A file outside that a `.pth` file adds to the import path has an absolute path and the state `outside`; the state of
    all others is `unknown`. A file that could not be read counts too.
    """
    found: dict[str, StartupFile] = {}
    for name in _names(f"{venv}/bin"):
        if name.endswith("._pth"):
            detail = "it replaces the import path of the interpreter next to it"
            found[f"bin/{name}"] = StartupFile(path=f"bin/{name}", detail=detail)
    for directory in site.directories:
        for each in _in_site(venv, directory, site.series):
            found.setdefault(each.path, each)
    for each in tuple(found.values()):
        for target in _targets(venv, each):
            found.setdefault(target.path, target)
    return tuple(found[path] for path in sorted(found))


def adds_directories(venv: str, site: SiteDirectory) -> bool:
    """Return whether a `.pth` file of a site directory may add to the import path, now or when a directory is made."""
    for name in _names(site.path):
        if name.endswith(".pth"):
            try:
                lines = pth_lines(read_inside(f"{site.path}/{name}", venv, limit=PTH_LIMIT_BYTES))
            except OSError:
                return True
            if not all(line.startswith(_IMPORTS) for line in lines):
                return True
    return False


def base_startup_files(home: str, series: str, *, site_packages: bool) -> tuple[StartupFile, ...]:
    """Return those of a base interpreter, with absolute paths; `home` is the directory of its executable.

    Every environment of the interpreter imports the `sitecustomize` in its standard library. With `site_packages`
    (system site packages are on), the files in its site directories count too.
    """
    prefix = os.path.dirname(home.rstrip("/"))  # noqa: PTH120  # no pathlib here
    library = SiteDirectory(path=f"{prefix}/lib/python{series}", relative="")
    found = {each.path: each for each in _customize(library)}
    if site_packages:
        places = ("site-packages", "../python3/dist-packages", f"../../local/lib/python{series}/dist-packages")
        for place in places:
            path = os.path.normpath(f"{library.path}/{place}")
            for each in _in_site(path, SiteDirectory(path=path, relative=""), series):
                found.setdefault(each.path, each)
    return tuple(replace(found[path], state=StartupState.OUTSIDE) for path in sorted(found))


def compare_startup_files(
    venv: str, found: Iterable[StartupFile], inventory: Inventory
) -> tuple[tuple[StartupFile, ...], list[Finding]]:
    """Return the files with their states, and a finding for each that is not in `inventory` or has other contents."""
    files = tuple(found)
    recorded = _recorded(inventory, {each.path for each in files})
    compared, findings = [], []
    for each in files:
        state, content = each.state, ""
        if state is StartupState.UNKNOWN:
            known, size = recorded.get(each.path, (b"", 0))
            now = _content(f"{venv}/{each.path}", size)
            state = StartupState.SEALED if now == known else StartupState.CHANGED if known else StartupState.ADDED
            content = now[:-1].hex()
        compared.append(replace(each, state=state))
        if state in _CODES:
            findings.append(Finding(code=_CODES[state], path=each.path, detail=each.detail, content=content))
    return tuple(compared), findings


def pth_lines(content: bytes) -> list[str]:
    """Return the lines of a `.pth` file that any version of site.py obeys, in UTF-8 or in the encoding of a locale.

    Python 3.13 and later skip a byte order mark, and end a line at a form feed. Earlier versions read a file in parts,
    so they run the lines before a byte that cannot be decoded.
    """
    lines: dict[str, None] = {}
    for text in (content.decode("utf-8", "replace"), content.decode("latin-1")):
        for line in text.splitlines():
            text_of_line = line
            for mark in _MARKS:
                text_of_line = text_of_line.removeprefix(mark)
            if text_of_line.strip() and not text_of_line.startswith("#"):
                lines[text_of_line] = None
    return list(lines)


def _targets(venv: str, file: StartupFile) -> Iterator[StartupFile]:
    """Yield the targets inside the environment of a startup file that is a symbolic link."""
    place = f"{venv}/{file.path}"
    if file.path.startswith("/") or not os.path.islink(place):  # noqa: PTH114
        return
    real, top = os.path.realpath(place), f"{os.path.realpath(venv)}/"
    if real.startswith(top):
        targets = [f"{real}/{each}" for each in _names(real) if _PACKAGE.fullmatch(each)] or [real]
        yield from (replace(file, path=each.removeprefix(top)) for each in targets)


def _in_site(venv: str, directory: SiteDirectory, series: str) -> Iterator[StartupFile]:
    """Yield the startup files in one site directory, and those that its `.pth` files add to the import path."""
    yield from _customize(directory)
    for name in _names(directory.path):
        if name.endswith(".pth"):
            yield from _of_pth_file(venv, directory, name)
        elif name.endswith(".start") and _reads_start_files(series):
            yield from _of_start_file(venv, directory, name)


def _of_start_file(venv: str, directory: SiteDirectory, name: str) -> Iterator[StartupFile]:
    try:
        lines = read_inside(f"{directory.path}/{name}", venv, limit=PTH_LIMIT_BYTES).splitlines()
    except OSError as error:
        yield StartupFile(path=_path(directory, name), detail=_unreadable(error))
        return
    if any(line.strip() and not line.startswith(b"#") for line in lines):
        yield StartupFile(path=_path(directory, name), detail="Python calls the functions that it names")


def _of_pth_file(venv: str, directory: SiteDirectory, name: str) -> Iterator[StartupFile]:
    """Yield a `.pth` file that makes Python run code, and the startup files in what it adds to the import path."""
    path = _path(directory, name)
    try:
        lines = pth_lines(read_inside(f"{directory.path}/{name}", venv, limit=PTH_LIMIT_BYTES))
    except OSError as error:
        yield StartupFile(path=path, detail=_unreadable(error))
        return
    if any(line.startswith(_IMPORTS) for line in lines):
        yield StartupFile(path=path, detail="Python runs its `import` lines")
    for line in lines:
        added = _added_directory(venv, directory, line)
        if added is None:
            continue
        found = [*_customize(added), *_in_zip(added)]
        yield from found
        if found and not added.relative:
            detail = f"it adds {in_backticks(added.path)} to the import path, and Python imports from it"
            yield StartupFile(path=path, detail=f"{detail} {in_backticks(found[0].path.rpartition('/')[2])}")


def _added_directory(venv: str, directory: SiteDirectory, line: str) -> SiteDirectory | None:
    """Return the directory or the zip archive that a line adds to the import path, None if it adds nothing."""
    if line.startswith(_IMPORTS) or "\0" in line:
        return None
    path = os.path.normpath(os.path.join(directory.path, line.rstrip()))  # noqa: PTH118
    if path == directory.path or not os.path.exists(path):  # noqa: PTH110
        return None
    return SiteDirectory(path=path, relative=path.removeprefix(f"{venv}/") if path.startswith(f"{venv}/") else "")


def _customize(directory: SiteDirectory) -> Iterator[StartupFile]:
    """Yield the modules and packages `sitecustomize` and `usercustomize` in a directory of the import path."""
    for name in _names(directory.path):
        match = _CUSTOMIZE.fullmatch(name)
        if match is None:
            continue
        if name != match["module"]:
            yield _imported(directory, name)
            continue
        files = [each for each in _names(f"{directory.path}/{name}") if _PACKAGE.fullmatch(each)]
        if files and os.path.islink(f"{directory.path}/{name}"):  # noqa: PTH114
            yield _imported(directory, name)
        else:
            yield from (_imported(directory, f"{name}/{each}") for each in files)


def _imported(directory: SiteDirectory, name: str, detail: str = "Python imports it") -> StartupFile:
    state = StartupState.UNKNOWN if directory.relative else StartupState.OUTSIDE
    return StartupFile(path=_path(directory, name), detail=detail, state=state)


def _in_zip(archive: SiteDirectory) -> Iterator[StartupFile]:
    """Yield a zip archive on the import path that contains `sitecustomize` or `usercustomize`, or too much to know."""
    if not os.path.isfile(archive.path):  # noqa: PTH113
        return
    from reconciler.observe.zip_archive import zip_names  # slow to import, and rarely needed

    try:
        names = zip_names(archive.path)
    except OSError as error:
        if error.errno == errno.EFBIG:
            yield _imported(archive, "", "it has too many members to find out whether Python imports code from it")
        return  # otherwise Python cannot read it either
    for name in names:
        module, _, file = name.partition("/")
        if _CUSTOMIZE.fullmatch(module) and (_PACKAGE.fullmatch(file) if file else "." in module):
            yield _imported(archive, "", f"Python imports {in_backticks(name)} from it")
            return


def _recorded(inventory: Inventory, paths: set[str]) -> dict[str, tuple[bytes, int]]:
    """Return the contents that an inventory has of some files, without their executable bit, and their sizes."""
    directories = {each.rpartition("/")[0] for each in paths}
    found = {}
    for _, directory, positions in inventory.by_directory():
        if directory in directories:
            for position in positions:
                path = f"{directory}/{inventory.names[position]}"
                if path in paths:
                    content = inventory.content(position)
                    found[path] = (content[:-1] + content[-1:].replace(b"x", b"-"), inventory.sizes[position])
    return found


def _content(place: str, recorded_size: int) -> bytes:
    """Return what a file contains, as `_recorded` does. A large file of a different size than recorded is not read."""
    try:
        status = os.lstat(place)
        if stat.S_ISLNK(status.st_mode):
            return hashlib.sha256(os.fsencode(os.readlink(place))).digest() + b"l"  # noqa: PTH115
        if stat.S_ISREG(status.st_mode) and (status.st_size == recorded_size or status.st_size <= LARGEST_HASHED):
            return bytes.fromhex(hash_file(place)[1]) + b"-"
    except OSError:
        return b"?"
    return b"?"


def _path(directory: SiteDirectory, name: str) -> str:
    return "/".join(each for each in (directory.relative or directory.path, name) if each)


def _names(directory: str) -> list[str]:
    """Return the names in a directory, sorted; none if it cannot be listed, which is a finding elsewhere."""
    try:
        return sorted(os.listdir(directory))
    except OSError:
        return []


def _reads_start_files(series: str) -> bool:
    """Return whether a Python of this series (`3.15`; empty: unknown) reads `.start` files."""
    minor = series.partition(".")[2]
    return not minor.isdigit() or int(minor) >= _START_FILES_SINCE


def _unreadable(error: OSError) -> str:
    return f"it could not be read ({reason(error)}), and Python may run code that it names or contains"
