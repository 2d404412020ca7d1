"""The data files that setuptools may take into a wheel, if build files list them as patterns. Nothing is executed."""

import configparser
from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from typing import Any

from reconciler.lock.build_file_values import requires_only, strings, table

_WITHOUT_DATA = frozenset({"setuptools", "wheel"})  # setuptools-scm and other plugins add files
_MODULES = (".py", ".pyi", ".so", ".pyd", "/py.typed")


def listed_data(
    backend: str, texts: Mapping[str, str], tables: Mapping[str, Any], setup_cfg: configparser.ConfigParser
) -> tuple[str, ...] | None:
    """Return the patterns of the data files in packages; None if something else may add some.

    Without a MANIFEST.in, `include-package-data` adds nothing to what `package-data` says.
    """
    if backend != "setuptools" or not requires_only(_WITHOUT_DATA, texts, tables):
        return None
    if "MANIFEST.in" in texts or "setup.py" in texts:
        return None
    tool = table(table(tables, "tool"), "setuptools")
    section = "options.package_data"
    values = setup_cfg.items(section) if setup_cfg.has_section(section) else []
    configured = [each for _, value in values for each in value.replace(",", "\n").split()]
    return (*strings(table(tool, "package-data")), *configured)


def may_be_data(name: str, patterns: Iterable[str]) -> bool:
    """Return whether a file of a package (POSIX path) is a module, or may match one of the patterns."""
    if name.endswith(_MODULES):
        return True
    every = {each for pattern in patterns for each in (pattern, pattern.replace("**/", ""))}
    return any(fnmatchcase(name, f"*{each.removeprefix('./')}") for each in every)
