"""Files and directories that the build files of a local project name, and those that its build writes."""

import configparser
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from reconciler.lock.build_file_values import (
    BUILD_FILES,
    WRITTEN,
    hatch_build_tables,
    keys_and_strings,
    placed_strings,
    strings,
    table,
)

_OUTSIDE = re.compile(r"""["'](\.\./[^"'\n]+)["']""")  # in a program, a text that is a path next to the project
# The tables of hatchling whose files every wheel has, an editable one too, also if git ignores them.
IN_EVERY_WHEEL = ("force-include", "shared-data", "shared-scripts", "extra-metadata")
_LEFT_THERE = frozenset({"__pycache__", ".git", ".venv", ".tox", ".nox", ".ruff_cache", ".pytest_cache", ".mypy_cache"})
_CONTENTS_OF_POETRY = frozenset({"packages", "include", "exclude"})


def named_paths(
    directory: Path, tables: Mapping[str, Any], setup_cfg: configparser.ConfigParser, programs: Iterable[str]
) -> tuple[set[Path], set[Path], set[Path]]:
    """Return the files that build files name, what they name outside of the project, and the projects to depend on."""
    named: set[Path] = set()
    neighbors: set[Path] = set()
    projects: set[Path] = set()
    values = [each for section in setup_cfg.sections() for _, each in setup_cfg.items(section)]
    texts = [(each, False) for value in values for each in re.split(r"[,\n]", value.removeprefix("file:"))]
    texts += [(each, False) for text in programs for each in _OUTSIDE.findall(text)]
    for text, depends in [*placed_strings(tables), *texts]:
        path = _existing(directory, text)
        if path is None:
            continue
        is_project = path.is_dir() and path != directory and any((path / each).is_file() for each in BUILD_FILES)
        if is_project and depends:
            projects.add(path)
        elif not path.is_relative_to(directory):
            if not directory.is_relative_to(path):  # `root = ".."` names the whole repository
                neighbors.add(path)
        elif path.is_file():
            named.add(path)
    return named | {each for each in neighbors if each.is_file()}, neighbors, projects


def without_package_contents(tables: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return tables without those keys of poetry that only say what a wheel contains: no metadata comes from them."""
    tool = table(tables, "tool")
    kept = {key: each for key, each in table(tool, "poetry").items() if key not in _CONTENTS_OF_POETRY}
    return {**tables, "tool": {**tool, "poetry": kept}}


def _existing(directory: Path, text: str) -> Path | None:
    """Return the absolute path that a string of a build file means, if there is such a file or directory."""
    match = re.search(r"@\s*file:(?://)?(?P<path>[^;\s]+)", text)
    text = unquote(match["path"]) if match else text.removeprefix("file:").strip().lstrip("/")
    path = Path(os.path.normpath(directory / text))
    try:
        return path if path != directory and (path.is_file() or path.is_dir()) else None
    except OSError:  # too long, or not permitted: the build cannot read it either
        return None


def data_files(directory: Path, tables: Mapping[str, Any], setup_cfg: configparser.ConfigParser) -> set[Path]:
    """Return the licenses and data files that tables name by directory or pattern: editable installs have them too."""
    tool = table(tables, "tool")
    found: list[Any] = [
        table(tables, "project").get("license-files", []),
        table(tool, "setuptools").get("license-files", []),
        table(tool, "setuptools").get("data-files", {}),
        table(tool, "flit").get("external-data", {}),
        table(table(tool, "uv"), "build-backend").get("data", {}),
        *([*table(each, key)] for each in hatch_build_tables(tables) for key in IN_EVERY_WHEEL),
    ]
    texts = strings(found)
    if setup_cfg.has_section("options.data_files"):
        texts += [each for _, value in setup_cfg.items("options.data_files") for each in re.split(r"[,\n]", value)]
    texts += re.split(r"[,\n]", setup_cfg.get("metadata", "license_files", fallback=""))
    files: set[Path] = set()
    for text in {each.strip().lstrip("/") for each in texts} - {"", "."}:
        # A text that cannot be a path (with a NUL character, absolute, too long) names no file: the build reports it.
        with suppress(ValueError, NotImplementedError, OSError):
            for path in directory.glob(text):
                files |= {each for each in (path, *_below(path)) if each.is_file()}
    return files


def _below(directory: Path) -> Iterator[Path]:
    """Yield what is below a directory without what programs leave there: no backend packages it."""
    return (each for each in directory.rglob("*") if _LEFT_THERE.isdisjoint(each.relative_to(directory).parts))


def generated_files(tables: Mapping[str, Any]) -> frozenset[str]:
    """Return the paths of the files that a build writes: of pdm-backend, below the directory of the packages."""
    names = set(_generated(tables))
    roots = {"src", *strings(table(table(table(tables, "tool"), "pdm"), "build").get("package-dir"))}
    return frozenset(names | {os.path.normpath(f"{root}/{name}") for root in roots for name in names})


def _generated(value: Any) -> Iterator[str]:
    match value:
        case dict():
            for key, each in value.items():
                if key in WRITTEN and isinstance(each, str):
                    yield os.path.normpath(each)
                else:
                    yield from _generated(each)
        case list():
            for each in value:
                yield from _generated(each)


def named_words(texts: Mapping[str, str], tables: Mapping[str, Any]) -> frozenset[str]:
    """Return the names and patterns in build files: each part of each path."""
    text = "\n".join(
        [*(texts.get(each, "") for each in ("setup.cfg", "setup.py", "MANIFEST.in")), *keys_and_strings(tables)]
    )
    return frozenset(part for word in re.split(r"[\s\"',=:()\[\]{}]+", text) for part in word.split("/") if part)
