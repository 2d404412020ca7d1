"""What a local project is built from besides its own files, as far as its build files say so. Nothing is executed.

A build backend may read any file. Where a table of pyproject.toml or setup.cfg names the files, these count. Where only
the backend knows them (a `setup.py` that computes, a hook, an unknown backend), every file of the project counts.
"""

import ast
import configparser
import os
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from reconciler.errors import LockError
from reconciler.manifest.pyproject import build_tables, plain_tables

BUILD_FILES = ("pyproject.toml", "setup.cfg", "setup.py")
_MORE_FILES = ("MANIFEST.in", "hatch.toml", "pdm_build.py")
_LARGEST_BYTES = 1024 * 1024  # as for every file that a manifest names
_DEPENDENCIES = frozenset({"dependencies", "optional-dependencies"})
_OUTSIDE = re.compile(r"""["'](\.\./[^"'\n]+)["']""")  # in a program, a text that is a path next to the project
_LICENSES = ("LICEN[CS]E*", "COPYING*", "NOTICE*", "AUTHORS*")  # setuptools and others put these into the metadata
_KNOWN_HOOKS = frozenset({"vcs", "version"})  # of hatch: they write a version, and read nothing else
_DECLARATIVE = frozenset({"setuptools", "hatchling", "flit_core", "pdm", "poetry", "uv_build"})
_VERSION_CONTROL = re.compile(
    r"scm|(?<![a-z])vcs(?![a-z])|versioneer|versioningit|dunamai|dynamic-versioning|git[-_]version|(?<![\w.:/@+-])git(?![\w.:/@+-])|(?<![a-z])pbr(?![a-z])",
    re.IGNORECASE,
)
# The keys with the path of a file that a build writes from the version: it is a result and not an input.
_WRITTEN = frozenset(
    {"write_to", "version_file", "version-file", "write-to", "versionfile_source", "versionfile_build"}
)
# A setup.py with only these calls reads nothing: setuptools finds everything else in setup.cfg and pyproject.toml.
_PLAIN_CALLS = frozenset({"setup", "find_packages", "find_namespace_packages", "Extension"})
_PLAIN_MODULES = frozenset({"setuptools", "distutils.core", "setuptools.extension", "__future__"})
_COMPILED = (
    ".c", ".cc", ".cpp", ".cxx", ".cu", ".h", ".hh", ".hpp", ".pyx", ".pxd", ".pxi", ".rs", ".f", ".f90", "Cargo.toml",
    "Cargo.lock", "CMakeLists.txt", ".cmake", "meson.build",
)  # fmt: skip
_NOT_PACKAGES = frozenset(
    {"tests", "test", "docs", "doc", "examples", "example", "benchmarks", "benchmark", "htmlcov", "newsfragments",
     "changelog", "ci", "debian"}
)  # fmt: skip
_DEPENDENCY_TABLES = frozenset({"dependencies", "dev-dependencies", "group", "sources", "workspace", "requires"})


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildInputs:
    """What the build files of the project in `directory` (without symbolic links) say about its build.

    `texts` are the build files. `resolved_from` are the files that its dependencies are read from, and `metadata_from`
    those of all its metadata, as absolute paths; None if they may be read from any file of the project. `neighbors`
    are files and directories outside of the project that its build reads; `projects` the other local projects that it
    depends on. `generated` are the paths of files that the build writes. `versioned` says that the build asks version
    control, for instance for the version.
    """

    directory: Path
    texts: Mapping[str, str] = field(repr=False)
    tables: Mapping[str, Any] = field(repr=False)
    backend: str
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
        if self.backend not in _DECLARATIVE or self._has_program:
            return True
        top, _, rest = name.partition("/")
        if self._names(top):
            return True
        if not rest:
            known = name.endswith(".py") or name in {*BUILD_FILES, *_MORE_FILES}
            return known or any(fnmatchcase(name, each) for each in _LICENSES)
        return not top.startswith(".") and top not in _NOT_PACKAGES and (top == "src" or not self._is_src_layout)

    def is_compiled(self, name: str) -> bool:
        """Return whether a file is the source of an extension module, which an editable install compiles in place."""
        compiles = self.backend not in _DECLARATIVE or any("ext_module" in each for each in self.texts.values())
        compiles = compiles or any(each in {"ext-modules", "ext_modules"} for each in _keys_and_strings(self.tables))
        return compiles and name.endswith(_COMPILED)

    @property
    def _has_program(self) -> bool:
        """Return whether the project has code of its own that takes part in a build."""
        return _has_program(self.backend, self.texts, self.tables)

    @property
    def _is_src_layout(self) -> bool:
        source = self.directory / "src"
        return source.is_dir() and not (source / "__init__.py").exists()

    def _names(self, top: str) -> bool:
        """Return whether a build file names a file or directory at the top of the project, or has a pattern for it."""
        words = _words(self.texts, self.tables)
        return top in words or any(fnmatchcase(top, each) for each in words if "*" in each and each.strip("*./"))


def read_build_inputs(directory: Path) -> BuildInputs:
    """Read the build files of a local project; raises LockError if one cannot be read.

    A file that is not valid says nothing: then every file of the project counts.
    """
    texts = {name: text for name in (*BUILD_FILES, *_MORE_FILES) if (text := _text(directory / name)) is not None}
    try:
        document = tomllib.loads(texts.get("pyproject.toml", ""))
        tables = build_tables(document)
        backend = _backend(tables)
        if backend not in _DECLARATIVE:  # it may read any table
            tables = plain_tables(document)
        if backend == "hatchling" and "hatch.toml" in texts:
            tables = _with_hatch(tables, tomllib.loads(texts["hatch.toml"]))
    except (tomllib.TOMLDecodeError, RecursionError):
        tables, backend = {"invalid": [texts.get("pyproject.toml", ""), texts.get("hatch.toml", "")]}, ""
    setup_cfg = _setup_cfg(texts.get("setup.cfg", ""))
    programs = [texts.get("setup.py", ""), *_own_backend(directory, tables)]
    named, neighbors, projects = _named_paths(directory, tables, setup_cfg, programs)
    reader = _FieldReader(directory=directory, texts=texts, tables=tables, setup_cfg=setup_cfg, backend=backend)
    licenses = {path for each in _LICENSES for path in directory.glob(each) if path.is_file()}
    resolved = reader.files_of(_DEPENDENCIES)
    metadata = reader.files_of(None)
    return BuildInputs(
        directory=directory,
        texts=texts,
        tables=tables,
        backend=backend,
        resolved_from=resolved,
        metadata_from=None
        if metadata is None
        else metadata | named | licenses | _data_files(directory, tables, setup_cfg),
        neighbors=tuple(sorted(neighbors)),
        projects=tuple(sorted(projects)),
        generated=_generated_files(tables),
        versioned=_asks_version_control(directory, texts, tables),
    )


def _text(path: Path) -> str | None:
    try:
        with path.open("rb") as file:
            return file.read(_LARGEST_BYTES).decode("utf-8", "replace")
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        return None
    except OSError as error:
        raise LockError(f"{path}: {error.strerror}") from error


def _setup_cfg(text: str) -> configparser.ConfigParser:
    parser = configparser.ConfigParser(interpolation=None, strict=False)
    try:
        parser.read_string(text)
    except configparser.Error:
        return configparser.ConfigParser(interpolation=None)
    return parser


def _backend(tables: Mapping[str, Any]) -> str:
    """Return the package of the build backend (PEP 517), an empty string if the project contains it."""
    system = tables.get("build-system", {})
    if not isinstance(system, dict) or "backend-path" in system:
        return ""
    return str(system.get("build-backend", "setuptools")).partition(":")[0].partition(".")[0]


@dataclass(slots=True, kw_only=True)
class _FieldReader:
    """Finds the files that a backend reads dynamic metadata from."""

    directory: Path
    texts: Mapping[str, str]
    tables: Mapping[str, Any]
    setup_cfg: configparser.ConfigParser
    backend: str

    def files_of(self, fields: frozenset[str] | None) -> frozenset[Path] | None:
        """Return the files that the dynamic ones of `fields` (None: of all fields) are read from, None if unknown."""
        found: set[Path] = set()
        for each in sorted(self._dynamic(fields)):
            files = self._files(each)
            if files is None:
                return None
            found |= files
        return frozenset(found)

    def _dynamic(self, fields: frozenset[str] | None) -> frozenset[str]:
        project = _table(self.tables, "project")
        poetry = self._tool("poetry")
        if project:
            dynamic = frozenset(each for each in project.get("dynamic", ()) if isinstance(each, str))
            if self.backend == "poetry" and "dependencies" in poetry:
                dynamic -= _DEPENDENCIES
        elif (self.backend == "poetry" and poetry) or (self.backend == "flit_core" and self._tool("flit")):
            dynamic = frozenset({"version"})  # their own tables have everything else
        else:
            dynamic = frozenset({"version", *_DEPENDENCIES})
        return dynamic if fields is None else dynamic & fields

    def _files(self, field_name: str) -> set[Path] | None:
        match self.backend:
            case "setuptools":
                return self._setuptools(field_name)
            case "hatchling":
                return self._hatch(field_name)
            case "flit_core":
                module = _table(self._tool("flit"), "module").get("name") or self._flit_name()
                return self._attribute(f"{module}.{'__version__' if field_name == 'version' else '__doc__'}")
            case "pdm":
                if _has_program(self.backend, self.texts, self.tables):
                    return None
                version = _table(self._tool("pdm"), "version")
                return set() if version.get("source") in {"scm", "file"} else None
            case "poetry":
                return set()
            case _:
                return None

    def _setuptools(self, field_name: str) -> set[Path] | None:
        if _has_program(self.backend, self.texts, self.tables):
            return None
        declared = _table(self._tool("setuptools"), "dynamic").get(field_name)
        if isinstance(declared, dict):
            if isinstance(declared.get("attr"), str):
                return self._attribute(declared["attr"])
            return {self.directory / each for each in _strings(declared)}
        section, key = ("metadata", "version") if field_name == "version" else ("options", "install_requires")
        value = self.setup_cfg.get(section, key, fallback="").strip()
        if value.startswith("attr:"):
            return self._attribute(value.removeprefix("attr:").strip())
        files = {value}
        if field_name == "optional-dependencies" and self.setup_cfg.has_section("options.extras_require"):
            files = {each for _, each in self.setup_cfg.items("options.extras_require")}
        return {
            self.directory / name.strip()
            for each in files
            if each.startswith("file:")
            for name in each.removeprefix("file:").split(",")
        }

    def _hatch(self, field_name: str) -> set[Path] | None:
        hatch = self._tool("hatch")
        hooks = _table(_table(hatch, "metadata"), "hooks")
        if field_name == "version":
            source = _table(hatch, "version").get("source", "regex")
            return set() if source in {"regex", "vcs", "env"} else None
        return set() if hooks and set(hooks) <= {"requirements_txt", "vcs"} else None

    def _attribute(self, attribute: str) -> set[Path] | None:
        """Return the module of an attribute if it has a literal there, which setuptools and flit read; else None."""
        module, _, name = attribute.rpartition(".")
        roots = [self.directory, self.directory / "src"]
        for each in _strings(_table(self._tool("setuptools"), "package-dir")):
            roots.insert(0, self.directory / each)
        for root in roots:
            base = root.joinpath(*module.split(".")) if module else root
            for path in (base.with_suffix(".py") if module else root / "__init__.py", base / "__init__.py"):
                text = _text(path) if path.is_file() else None
                if text is not None:
                    return {path} if _has_literal(text, name) else None
        return None

    def _flit_name(self) -> str:
        return str(_table(self.tables, "project").get("name", "")).replace("-", "_")

    def _tool(self, name: str) -> Mapping[str, Any]:
        return _table(_table(self.tables, "tool"), name)


def _has_literal(text: str, name: str) -> bool:
    try:
        body = ast.parse(text).body
    except (SyntaxError, ValueError, RecursionError):
        return False
    if name == "__doc__":
        return True
    for node in body:
        match node:
            case ast.Assign(targets=targets, value=value):
                pass
            case ast.AnnAssign(target=target, value=ast.expr() as value):
                targets = [target]
            case _:
                continue
        if any(isinstance(each, ast.Name) and each.id == name for each in targets):
            try:
                ast.literal_eval(value)
            except (ValueError, TypeError):
                return False
            return True
    return False


def _has_program(backend: str, texts: Mapping[str, str], tables: Mapping[str, Any]) -> bool:
    """Return whether code of the project takes part in a build: a setup.py that does more than call setup(), a hook."""
    tool = _table(tables, "tool")
    match backend:
        case "setuptools":
            return "setup.py" in texts and not _is_plain_setup(texts["setup.py"])
        case "hatchling":
            build = _table(_table(tool, "hatch"), "build")
            hooks = [
                _table(build, "hooks"),
                *(_table(each, "hooks") for each in _table(build, "targets").values() if isinstance(each, dict)),
            ]
            return any(name not in _KNOWN_HOOKS for each in hooks for name in each)
        case "pdm":
            build = _table(_table(tool, "pdm"), "build")
            return (
                "custom-hook" in build
                or "pdm_build.py" in texts
                or _table(_table(tool, "pdm"), "version").get("source") == "call"
            )
        case "poetry":
            return "build" in _table(tool, "poetry")
        case _:
            return backend not in _DECLARATIVE


def _is_plain_setup(text: str) -> bool:
    """Return whether a setup.py only calls setup() with literals and the finders of setuptools, and imports no more."""
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError):
        return False
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=names):
                if any(each.name not in _PLAIN_MODULES for each in names):
                    return False
            case ast.ImportFrom(module=module, level=level):
                if level or module not in _PLAIN_MODULES:
                    return False
            case ast.Call(func=ast.Name(id=name)) | ast.Call(func=ast.Attribute(attr=name)):
                if name not in _PLAIN_CALLS:
                    return False
            case ast.Call() | ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef() | ast.With():
                return False
    return True


def _asks_version_control(directory: Path, texts: Mapping[str, str], tables: Mapping[str, Any]) -> bool:
    """Return whether a build runs git or another version control: by the names of the usual tools."""
    system, tool = _table(tables, "build-system"), _table(tables, "tool")
    words = [*_strings(system.get("requires", [])), *(each for each in _keys_and_strings(tool) if each != "git")]
    words += [texts.get("setup.py", ""), texts.get("setup.cfg", ""), *_own_backend(directory, tables)]
    return any(_VERSION_CONTROL.search(each) for each in words)


def _own_backend(directory: Path, tables: Mapping[str, Any]) -> list[str]:
    """Return the text of a build backend that the project itself contains (PEP 517, `backend-path`)."""
    system = _table(tables, "build-system")
    module = str(system.get("build-backend", "")).partition(":")[0].replace(".", "/")
    places = (directory / each for each in _strings(system.get("backend-path", [])))
    return [_text(place / name) or "" for place in places for name in (f"{module}.py", f"{module}/__init__.py")]


def _named_paths(
    directory: Path, tables: Mapping[str, Any], setup_cfg: configparser.ConfigParser, programs: Iterable[str]
) -> tuple[set[Path], set[Path], set[Path]]:
    """Return the files that build files name, what they name outside of the project, and the projects to depend on."""
    named: set[Path] = set()
    neighbors: set[Path] = set()
    projects: set[Path] = set()
    values = [each for section in setup_cfg.sections() for _, each in setup_cfg.items(section)]
    texts = [(each, False) for value in values for each in re.split(r"[,\n]", value.removeprefix("file:"))]
    texts += [(each, False) for text in programs for each in _OUTSIDE.findall(text)]
    for text, depends in [*_placed_strings(tables), *texts]:
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


def _data_files(directory: Path, tables: Mapping[str, Any], setup_cfg: configparser.ConfigParser) -> set[Path]:
    """Return the licenses and data files that tables name by directory or pattern: editable installs have them too."""
    tool = _table(tables, "tool")
    build = _table(_table(tool, "hatch"), "build")
    places = [build, *(each for each in _table(build, "targets").values() if isinstance(each, dict))]
    found: list[Any] = [
        _table(tables, "project").get("license-files", []),
        _table(tool, "setuptools").get("license-files", []),
        _table(tool, "setuptools").get("data-files", {}),
        _table(tool, "flit").get("external-data", {}),
        _table(_table(tool, "uv"), "build-backend").get("data", {}),
        *([*_table(each, key)] for each in places for key in ("shared-data", "shared-scripts")),
    ]
    texts = _strings(found)
    if setup_cfg.has_section("options.data_files"):
        texts += [each for _, value in setup_cfg.items("options.data_files") for each in re.split(r"[,\n]", value)]
    texts += re.split(r"[,\n]", setup_cfg.get("metadata", "license_files", fallback=""))
    files: set[Path] = set()
    for text in {each.strip().lstrip("/") for each in texts} - {"", "."}:
        try:
            matched = [directory / text] if not any(char in text for char in "*?[") else [*directory.glob(text)]
        except (ValueError, NotImplementedError, OSError):  # not a pattern
            continue
        for path in matched:
            files |= {each for each in path.rglob("*") if each.is_file()} if path.is_dir() else {path}
    return files


def _with_hatch(tables: Mapping[str, Any], hatch: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the tables with those of a hatch.toml, which count for more."""
    tool = _table(tables, "tool")
    return {**tables, "tool": {**tool, "hatch": {**_table(tool, "hatch"), **plain_tables(hatch)}}}


def _existing(directory: Path, text: str) -> Path | None:
    """Return the absolute path that a string of a build file means, if there is such a file or directory."""
    match = re.search(r"@\s*file:(?://)?(?P<path>[^;\s]+)", text)
    text = unquote(match["path"]) if match else text.removeprefix("file:").strip().lstrip("/")
    if not text or len(text) > 1000 or any(each in text for each in "\n\0*"):
        return None
    path = Path(os.path.normpath(directory / text))
    try:
        return path if path != directory and (path.is_file() or path.is_dir()) else None
    except OSError:  # too long, or not permitted: the build cannot read it either
        return None


def _placed_strings(value: Any, depends: bool = False) -> Iterator[tuple[str, bool]]:
    """Yield every string and key of TOML values, and whether it is in a table of dependencies."""
    match value:
        case str():
            yield value, depends
        case dict():
            for key, each in value.items():
                if key not in _WRITTEN:
                    yield key, depends
                    yield from _placed_strings(each, depends or key in _DEPENDENCY_TABLES)
        case list():
            for each in value:
                yield from _placed_strings(each, depends)


def _generated_files(tables: Mapping[str, Any]) -> frozenset[str]:
    """Return the paths of the files that a build writes: of pdm-backend, below the directory of the packages."""
    names = set(_generated(tables))
    roots = {"src", *_strings(_table(_table(_table(tables, "tool"), "pdm"), "build").get("package-dir", ""))}
    return frozenset(names | {os.path.normpath(f"{root}/{name}") for root in roots for name in names})


def _generated(value: Any) -> Iterator[str]:
    match value:
        case dict():
            for key, each in value.items():
                if key in _WRITTEN and isinstance(each, str):
                    yield os.path.normpath(each)
                else:
                    yield from _generated(each)
        case list():
            for each in value:
                yield from _generated(each)


def _words(texts: Mapping[str, str], tables: Mapping[str, Any]) -> frozenset[str]:
    """Return the names and patterns in build files: each part of each path."""
    text = "\n".join(
        [*(texts.get(each, "") for each in ("setup.cfg", "setup.py", "MANIFEST.in")), *_keys_and_strings(tables)]
    )
    return frozenset(part for word in re.split(r"[\s\"',=:()\[\]{}]+", text) for part in word.split("/") if part)


def _keys_and_strings(value: Any) -> Iterator[str]:
    return (text for text, _ in _placed_strings(value))


def _strings(value: Any) -> list[str]:
    """Return every string in TOML values, without keys."""
    match value:
        case str():
            return [value]
        case dict():
            return [text for each in value.values() for text in _strings(each)]
        case list():
            return [text for each in value for text in _strings(each)]
        case _:
            return []


def _table(parent: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = parent.get(key)
    return value if isinstance(value, dict) else {}
