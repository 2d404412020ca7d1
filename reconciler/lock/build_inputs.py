"""What a local project is built from besides its own files, as far as its build files say so. Nothing is executed.

A build backend may read any file. Where a table of pyproject.toml or setup.cfg names the files, these count. Where only
the backend knows them (a `setup.py` that computes, a hook, an unknown backend), every file of the project counts.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from reconciler.lock.build_file_values import BUILD_FILES, build_file_text, keys_and_strings, table
from reconciler.lock.build_paths import (
    data_files,
    generated_files,
    named_paths,
    named_words,
    without_package_contents,
)
from reconciler.lock.build_programs import DECLARATIVE, asks_version_control, has_program, own_backend
from reconciler.lock.dynamic_metadata import DEPENDENCIES, DynamicMetadata
from reconciler.lock.listed_data import listed_data, may_be_data
from reconciler.lock.listed_modules import listed_modules
from reconciler.manifest.pyproject import build_tables, plain_tables
from reconciler.manifest.setup_cfg import parse_setup_cfg
from reconciler.manifest.toml_depth import refuse_deep_keys

_MORE_FILES = ("MANIFEST.in", "hatch.toml", "pdm_build.py")
_LICENSES = ("LICEN[CS]E*", "COPYING*", "NOTICE*", "AUTHORS*")  # setuptools and others put these into the metadata
_COMPILED = (
    ".c", ".cc", ".cpp", ".cxx", ".cu", ".h", ".hh", ".hpp", ".pyx", ".pxd", ".pxi", ".rs", ".f", ".f90", "Cargo.toml",
    "Cargo.lock", "CMakeLists.txt", ".cmake", "meson.build",
)  # fmt: skip
_NOT_PACKAGES = frozenset(
    {"tests", "test", "docs", "doc", "examples", "example", "benchmarks", "benchmark", "htmlcov", "newsfragments",
     "changelog", "ci", "debian"}
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildInputs:
    """What the build files of the project in `directory` (without symbolic links) say about its build.

    `texts` are the build files. `resolved_from` are the files that its dependencies are read from, and `metadata_from`
    those of all its metadata, as absolute paths; None if they may be read from any file of the project. `neighbors`
    are files and directories outside of the project that its build reads; `projects` the other local projects that it
    depends on. `generated` are the paths of files that the build writes. `versioned` says that the build asks version
    control, for instance for the version.

    `declarative` is whether the tables alone say what a wheel contains, because no code of the project takes part in
    the build. `words` are the names and patterns in the build files. `listed` are the paths of the modules and packages
    that a wheel is limited to; None if the backend searches for them. `data` are the patterns of the data files in
    packages; None if others may be packaged. With `compiles`, a build compiles extension
    modules.
    """

    directory: Path
    texts: Mapping[str, str] = field(repr=False)
    tables: Mapping[str, Any] = field(repr=False)
    backend: str
    declarative: bool
    words: frozenset[str] = field(repr=False)
    listed: frozenset[str] | None = field(repr=False)
    data: tuple[str, ...] | None = field(repr=False)
    src_layout: bool
    compiles: bool
    resolved_from: frozenset[Path] | None
    metadata_from: frozenset[Path] | None
    neighbors: tuple[Path, ...]
    projects: tuple[Path, ...]
    generated: frozenset[str]
    versioned: bool

    def may_be_packaged(self, name: str) -> bool:
        """Return whether a wheel of the project may contain its file `name`, or be built with it (POSIX path).

        False only for what no declarative backend takes into a wheel without naming it, such as a CHANGELOG.md, or
        `docs` and `tests` at the top.
        """
        if not self.declarative:
            return True
        top, _, rest = name.partition("/")
        if self._names(top):
            return True
        if not rest and (name in {*BUILD_FILES, *_MORE_FILES} or any(fnmatchcase(name, each) for each in _LICENSES)):
            return True
        if rest and not self._may_be_data(name):
            return False
        if self.listed is not None:
            return any(name == each or name.startswith(f"{each}/") for each in self.listed)
        if not rest:
            return name.endswith(".py")
        return not top.startswith(".") and top not in _NOT_PACKAGES and (top == "src" or not self.src_layout)

    def _may_be_data(self, name: str) -> bool:
        """Return whether a file below the top may be a module or data file, or is one that metadata is read from."""
        return self.data is None or may_be_data(name, self.data) or self.directory / name in (self.metadata_from or ())

    def is_compiled(self, name: str) -> bool:
        """Return whether a file is the source of an extension module, which an editable install compiles in place."""
        return self.compiles and name.endswith(_COMPILED)

    def _names(self, top: str) -> bool:
        """Return whether a build file names a file or directory at the top of the project, or has a pattern for it."""
        patterns = (each for each in self.words if "*" in each and each.strip("*./"))
        return top in self.words or any(fnmatchcase(top, each) for each in patterns)


def read_build_inputs(directory: Path) -> BuildInputs:
    """Read the build files of a local project; raises LockError if one cannot be read.

    A file that is not valid says nothing: then every file of the project counts.
    """
    texts = {
        name: text for name in (*BUILD_FILES, *_MORE_FILES) if (text := build_file_text(directory / name)) is not None
    }
    try:
        document = _parse(texts.get("pyproject.toml", ""))
        tables = build_tables(document)
        backend = _backend(tables)
        if backend not in DECLARATIVE:  # it may read any table
            tables = plain_tables(document)
        if backend == "hatchling" and "hatch.toml" in texts:
            tables = _with_hatch(tables, _parse(texts["hatch.toml"]))
    except (ValueError, RecursionError):
        tables, backend = {"invalid": [texts.get("pyproject.toml", ""), texts.get("hatch.toml", "")]}, ""
    setup_cfg = parse_setup_cfg(texts.get("setup.cfg", ""))
    programs = [texts.get("setup.py", ""), *own_backend(directory, tables)]
    named, neighbors, projects = named_paths(directory, tables, setup_cfg, programs)
    reader = DynamicMetadata(directory=directory, texts=texts, tables=tables, setup_cfg=setup_cfg, backend=backend)
    licenses = {path for each in _LICENSES for path in directory.glob(each) if path.is_file()}
    resolved = reader.files_of(DEPENDENCIES)
    metadata = reader.files_of(None)
    words = named_words(texts, tables)
    compiles = (
        backend not in DECLARATIVE
        or any("ext_module" in each for each in texts.values())
        or any(each in {"ext-modules", "ext_modules"} for each in keys_and_strings(tables))
    )
    # A file that is not packaged may still be read for metadata, or compiled.
    limited = metadata is not None and not compiles
    if backend == "poetry":
        named, _, _ = named_paths(directory, without_package_contents(tables), setup_cfg, programs)
    return BuildInputs(
        directory=directory,
        texts=texts,
        tables=tables,
        backend=backend,
        declarative=backend in DECLARATIVE and not has_program(backend, texts, tables),
        words=words,
        listed=listed_modules(backend, texts, tables, setup_cfg, words) if limited else None,
        data=listed_data(backend, texts, tables, setup_cfg) if limited else None,
        src_layout=(directory / "src").is_dir() and not (directory / "src/__init__.py").exists(),
        compiles=compiles,
        resolved_from=resolved,
        metadata_from=None
        if metadata is None
        else metadata | named | licenses | data_files(directory, tables, setup_cfg),
        neighbors=tuple(sorted(neighbors)),
        projects=tuple(sorted(projects)),
        generated=generated_files(tables),
        versioned=asks_version_control(directory, texts, tables),
    )


def _parse(text: str) -> dict[str, Any]:
    """Return the tables of a TOML text; raises ValueError or RecursionError."""
    refuse_deep_keys(text)
    return tomllib.loads(text)


def _backend(tables: Mapping[str, Any]) -> str:
    """Return the package of the build backend (PEP 517), an empty string if the project contains it."""
    system = tables.get("build-system", {})
    if not isinstance(system, dict) or "backend-path" in system:
        return ""
    return str(system.get("build-backend", "setuptools")).partition(":")[0].partition(".")[0]


def _with_hatch(tables: Mapping[str, Any], hatch: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the tables with those of a hatch.toml, which count for more."""
    tool = table(tables, "tool")
    return {**tables, "tool": {**tool, "hatch": {**table(tool, "hatch"), **plain_tables(hatch)}}}
