"""The modules and packages that a wheel is limited to, if build files list them. Nothing is executed."""

import ast
import configparser
from collections.abc import Iterable, Mapping
from typing import Any

from reconciler.lock.build_file_values import requires_only, table

# With any other requirement of the build, a plugin of setuptools may add files to the wheel.
_WITHOUT_FILES = frozenset({"setuptools", "wheel", "setuptools-scm"})


def listed_modules(
    backend: str,
    texts: Mapping[str, str],
    tables: Mapping[str, Any],
    setup_cfg: configparser.ConfigParser,
    words: Iterable[str],
) -> frozenset[str] | None:
    """Return the paths (POSIX) of the modules and packages that a wheel may contain.

    None if the backend searches for them, or if that cannot be known. `words` are the names in the build files.
    """
    match backend:
        case "flit_core":
            return _paths([flit_module(tables)], roots=("", "src/"))
        case "setuptools" if _lists_everything(texts, tables, setup_cfg):
            return _paths((each.partition(".")[0] for each in words), roots=("",)) | {"src"}
        case _:
            return None


def flit_module(tables: Mapping[str, Any]) -> str:
    """Return the name of the only module or package that flit puts into a wheel."""
    flit = table(table(tables, "tool"), "flit")
    named = table(flit, "module").get("name") or table(flit, "metadata").get("module")
    return str(named or str(table(tables, "project").get("name", "")).replace("-", "_"))


def _paths(modules: Iterable[str], *, roots: tuple[str, ...]) -> frozenset[str]:
    places = {f"{root}{each.replace('.', '/')}" for each in modules if each for root in roots}
    return frozenset(places | {f"{each}.py" for each in places})


def _lists_everything(
    texts: Mapping[str, str], tables: Mapping[str, Any], setup_cfg: configparser.ConfigParser
) -> bool:
    """Return whether setuptools searches for no modules and packages, because all its configuration lists them."""
    if not requires_only(_WITHOUT_FILES, texts, tables):
        return False
    tool = table(table(tables, "tool"), "setuptools")
    found: list[object] = [tool[key] for key in ("packages", "py-modules") if key in tool]
    options = [setup_cfg.get("options", key, fallback="").strip() for key in ("packages", "py_modules")]
    found += [None if each.startswith("find") else each.split() for each in options]
    if "setup.py" in texts:
        found += _arguments(texts["setup.py"])
    return any(found) and all(isinstance(each, list) for each in found)


def _arguments(text: str) -> list[object]:
    """Return the literal values of `packages` and `py_modules` in a setup.py; None stands for one that is not known."""
    try:
        nodes = [*ast.walk(ast.parse(text))]
    except (SyntaxError, ValueError, RecursionError):
        return [None]
    calls = [
        each
        for each in nodes
        if isinstance(each, ast.Call) and "setup" in {getattr(each.func, "id", None), getattr(each.func, "attr", None)}
    ]
    if len(calls) != 1 or calls[0].args or any(each.arg is None for each in calls[0].keywords):
        return [None]
    return [_strings(each.value) for each in calls[0].keywords if each.arg in {"packages", "py_modules"}]


def _strings(node: ast.expr) -> list[str] | None:
    """Return a literal list or tuple of strings; None if it is something else."""
    try:
        value = ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return None
    return [*value] if isinstance(value, list | tuple) and all(isinstance(each, str) for each in value) else None
