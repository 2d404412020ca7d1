"""The files that a build backend reads dynamic metadata (PEP 621) from."""

import ast
import configparser
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reconciler.lock.build_file_values import build_file_text, strings, table
from reconciler.lock.build_programs import has_program
from reconciler.lock.listed_modules import flit_module

DEPENDENCIES = frozenset({"dependencies", "optional-dependencies"})


@dataclass(slots=True, kw_only=True)
class DynamicMetadata:
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
        project = table(self.tables, "project")
        if project:
            dynamic = frozenset(each for each in project.get("dynamic", ()) if isinstance(each, str))
        elif self.backend == "flit_core" and self._tool("flit"):
            dynamic = frozenset({"version"})  # its own table has everything else
        else:
            dynamic = frozenset({"version", *DEPENDENCIES})
        return dynamic if fields is None else dynamic & fields

    def _files(self, field_name: str) -> set[Path] | None:
        match self.backend:
            case "setuptools":
                return self._setuptools(field_name)
            case "hatchling":
                return self._hatch(field_name)
            case "flit_core":
                return self._attribute(
                    f"{flit_module(self.tables)}.{'__version__' if field_name == 'version' else '__doc__'}"
                )
            case "pdm":
                if has_program(self.backend, self.texts, self.tables):
                    return None
                version = table(self._tool("pdm"), "version")
                return set() if version.get("source") in {"scm", "file"} else None
            case "poetry":  # it only reads its own table
                return set()
            case _:
                return None

    def _setuptools(self, field_name: str) -> set[Path] | None:
        if has_program(self.backend, self.texts, self.tables):
            return None
        declared = table(self._tool("setuptools"), "dynamic").get(field_name)
        if isinstance(declared, dict):
            if isinstance(declared.get("attr"), str):
                return self._attribute(declared["attr"])
            return {self.directory / each for each in strings(declared)}
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
        hooks = table(table(hatch, "metadata"), "hooks")
        if field_name == "version":
            source = table(hatch, "version").get("source", "regex")
            return set() if source in {"regex", "vcs", "env"} else None
        return set() if hooks and set(hooks) <= {"requirements_txt", "vcs"} else None

    def _attribute(self, attribute: str) -> set[Path] | None:
        """Return the module of an attribute if it has a literal there, which setuptools and flit read; else None."""
        module, _, name = attribute.rpartition(".")
        roots = [self.directory, self.directory / "src"]
        for each in strings(table(self._tool("setuptools"), "package-dir")):
            roots.insert(0, self.directory / each)
        for root in roots:
            base = root.joinpath(*(module or "__init__").split("."))
            for path in (base.with_suffix(".py"), base / "__init__.py"):
                text = build_file_text(path) if path.is_file() else None
                if text is not None:
                    return {path} if _has_literal(text, name) else None
        return None

    def _tool(self, name: str) -> Mapping[str, Any]:
        return table(table(self.tables, "tool"), name)


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
