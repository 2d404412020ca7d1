"""What an installation gave: the files of a venv, in a form in which two installations can be compared.

Left out is what must differ: files of the venv itself, bytecode, caches, marks of the installer, and the first line of
scripts. RECORD counts as a list of names, because the hashes of scripts in it differ.
"""

import csv
import hashlib
import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote

_OF_THE_VENV = re.compile(
    r"pyvenv\.cfg|\.gitignore|CACHEDIR\.TAG|\.lock|lib64"
    r"|bin/(activate.*|deactivate\.bat|pydoc\.bat|python[\d.]*|pip[\d.]*)"
    r"|lib/[^/]+/site-packages/_virtualenv\.(py|pth)"
)
_OF_THE_INSTALLER = frozenset({"INSTALLER", "REQUESTED", "uv_cache.json", "uv_build.json"})
# `#!/venv/bin/python`, or what stands for it if the path is too long for the kernel.
_FIRST_LINES = re.compile(rb"\A#!(?:/bin/sh\n'''exec' [^\n]+\n' '''|[^\n]*python[^\n]*)\n")


def installed(venv: Path, moved: Mapping[Path, Path]) -> dict[str, str]:
    """Return a description of every installed file below `venv`, by its path; equal if the contents are.

    `moved` maps directories that installed files name to the directories that count as the same.
    """
    found = {}
    for folder, names, files in os.walk(venv):
        names[:] = sorted(name for name in names if name != "__pycache__")
        for name in sorted([*files, *(each for each in names if (Path(folder) / each).is_symlink())]):
            path = Path(folder) / name
            place = path.relative_to(venv).as_posix()
            if not _OF_THE_VENV.fullmatch(place) and not _is_of_the_installer(place):
                found[place] = _description(path, place, moved)
    return found


def differences(expected: Mapping[str, str], actual: Mapping[str, str]) -> list[str]:
    """Return one line for each path that only one of two installations has, or whose contents differ."""
    lines = []
    for place in sorted({*expected, *actual}):
        if place not in actual:
            lines.append(f"missing: {place}")
        elif place not in expected:
            lines.append(f"added: {place}")
        elif expected[place] != actual[place]:
            lines.append(f"differs: {place}{_first_difference(expected[place], actual[place])}")
    return lines


def _is_of_the_installer(place: str) -> bool:
    folder, _, name = place.rpartition("/")
    return folder.endswith(".dist-info") and name in _OF_THE_INSTALLER


def _description(path: Path, place: str, moved: Mapping[Path, Path]) -> str:
    if path.is_symlink():
        return f"link to {path.readlink()}"
    content = path.read_bytes()
    for before, after in moved.items():
        content = content.replace(os.fsencode(before), os.fsencode(after))
        content = content.replace(quote(str(before)).encode(), quote(str(after)).encode())
    if place.endswith(".dist-info/direct_url.json"):
        return json.dumps(_origin(content), sort_keys=True)
    if place.endswith(".dist-info/RECORD"):
        return "\n".join(_recorded_names(content))
    executable = "executable\n" if path.stat().st_mode & 0o100 else ""
    if place.startswith("bin/"):
        content = _FIRST_LINES.sub(b"#!python\n", content)
    if b"\0" in content:
        return f"{executable}sha256 {hashlib.sha256(content).hexdigest()}"
    return executable + content.decode("utf-8", "backslashreplace")


def _origin(content: bytes) -> dict[str, object]:
    """Return direct_url.json (PEP 610); its URL only of an editable install, which must point to the sources."""
    document: dict[str, object] = json.loads(content)
    directory = document.get("dir_info")
    if isinstance(directory, dict) and not directory.get("editable"):
        del document["url"]
    return document


def _recorded_names(content: bytes) -> list[str]:
    names = [row[0] for row in csv.reader(content.decode("utf-8").splitlines()) if row]
    return sorted(
        name
        for name in names
        if "__pycache__" not in name and not _is_of_the_installer(name) and not name.endswith("/RECORD")
    )


def _first_difference(expected: str, actual: str) -> str:
    if expected.startswith("sha256") or actual.startswith("sha256"):
        return ""
    lines = expected.splitlines(), actual.splitlines()
    only = [[each for each in mine if each not in other] for mine, other in (lines, lines[::-1])]
    return f" ({(only[0] or ['nothing'])[0][:100]!r} in a fresh install, {(only[1] or ['nothing'])[0][:100]!r} here)"
