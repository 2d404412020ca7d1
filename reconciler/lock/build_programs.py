"""Programs that take part in the build of a local project: its own code, and version control. None is executed."""

import ast
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from reconciler.lock.build_file_values import build_file_text, hatch_build_tables, keys_and_strings, strings, table

DECLARATIVE = frozenset({"setuptools", "hatchling", "flit_core", "pdm", "poetry", "uv_build"})
_KNOWN_HOOKS = frozenset({"vcs", "version"})  # of hatch: they write a version, and read nothing else
_VERSION_CONTROL = re.compile(
    r"scm|(?<![a-z])vcs(?![a-z])|versioneer|versioningit|dunamai|dynamic-versioning|git[-_]version|(?<![\w.:/@+-])git(?![\w.:/@+-])|(?<![a-z])pbr(?![a-z])",
    re.IGNORECASE,
)
# A setup.py with only these calls reads nothing: setuptools finds everything else in setup.cfg and pyproject.toml.
_PLAIN_CALLS = frozenset({"setup", "find_packages", "find_namespace_packages", "Extension"})
_PLAIN_MODULES = frozenset({"setuptools", "distutils.core", "setuptools.extension", "__future__"})


def has_program(backend: str, texts: Mapping[str, str], tables: Mapping[str, Any]) -> bool:
    """Return whether code of the project takes part in a build: a setup.py that does more than call setup(), a hook."""
    tool = table(tables, "tool")
    match backend:
        case "setuptools":
            commands = "cmdclass" in texts.get("setup.cfg", "") or "cmdclass" in table(tool, "setuptools")
            return commands or ("setup.py" in texts and not _is_plain_setup(texts["setup.py"]))
        case "hatchling":
            hooks = [table(each, "hooks") for each in hatch_build_tables(tables)]
            return any(name not in _KNOWN_HOOKS for each in hooks for name in each)
        case "pdm":
            build = table(table(tool, "pdm"), "build")
            return (
                "custom-hook" in build
                or "pdm_build.py" in texts
                or table(table(tool, "pdm"), "version").get("source") == "call"
            )
        case "poetry":
            return "build" in table(tool, "poetry")
        case _:
            return backend not in DECLARATIVE


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


def asks_version_control(directory: Path, texts: Mapping[str, str], tables: Mapping[str, Any]) -> bool:
    """Return whether a build runs git or another version control: by the names of the usual tools."""
    system, tool = table(tables, "build-system"), table(tables, "tool")
    words = [*strings(system.get("requires", [])), *(each for each in keys_and_strings(tool) if each != "git")]
    words += [texts.get("setup.py", ""), texts.get("setup.cfg", ""), *own_backend(directory, tables)]
    return any(_VERSION_CONTROL.search(each) for each in words)


def own_backend(directory: Path, tables: Mapping[str, Any]) -> list[str]:
    """Return the text of a build backend that the project itself contains (PEP 517, `backend-path`)."""
    system = table(tables, "build-system")
    module = str(system.get("build-backend", "")).partition(":")[0].replace(".", "/")
    places = (directory / each for each in strings(system.get("backend-path", [])))
    return [
        build_file_text(place / name) or "" for place in places for name in (f"{module}.py", f"{module}/__init__.py")
    ]
