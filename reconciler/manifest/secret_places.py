"""Which values of a manifest may be secrets, by their key paths: no error shows them.

The rule lists what may be shown, so a value at an unknown or misspelt key is not shown either. It is the same whether
a value is `public` or not: a manifest with an error may not say it where a reader expects it. See docs/design.md,
"Secrets".
"""

import re
from collections.abc import Sequence
from typing import TypeAlias

from reconciler.manifest.models import Environment, Manifest, Matrix, Project
from reconciler.manifest.names import FROM_ENV, PUBLIC
from reconciler.manifest.validation_errors import key_names, meant_key

Parts: TypeAlias = Sequence[str | int]

SECTIONS = frozenset({"env", "build_env", "hooks", "probes", "health"})
_UNKNOWN = "?"
_ENTRY_KEYS = frozenset({*key_names(Environment), *key_names(Project), *key_names(Manifest)})
_TOP_KEYS = frozenset({*key_names(Manifest), *key_names(Environment)})
_MERGE = "<<"
# A key that may be shown next to a value that may not.
_KEY = re.compile(r"[\w.-]{0,100}", re.ASCII)


def may_be_secret(path: Parts) -> bool:
    """Return whether the value at a key path, which is no list or mapping, may be a secret."""
    section, below = _section(path)
    match section, list(below):
        case "", _:
            return is_entry(path)
        case "env" | "build_env", [key] | [key, int()]:
            return key != PUBLIC and (key != FROM_ENV or section == "env")
        case "hooks", ["on_failure"] | ["after_publish" | "before_delete", int(), "public"]:
            return False
        case "probes", [int(), "import" | "timeout" | "public"] | ["import" | "timeout" | "public"]:
            return False
        case "health", ["for" | "timeout" | "otherwise" | "public"]:
            return False
        case _:
            return True


def is_program(path: Parts) -> bool:
    """Return whether the value at a key path is the program of a command, which plans show as well."""
    section, below = _section(path)
    match section, list(below):
        case ("hooks", ["after_publish" | "before_delete", int(), 0]) | ("health", ["run", 0]):
            return True
        case ("hooks", ["after_publish" | "before_delete", int(), "run", 0]) | ("probes", [int(), "run", 0]):
            return True
        case _:
            return False


def is_entry(path: Parts) -> bool:
    """Return whether a path is that of the environments, of one of them, or of a variant: a text there is a mistake."""
    match list(path):
        case [] | ["environments" | "templates"] | ["environments" | "templates", _]:
            return True
        case ["environments" | "templates", _, "matrix", axis, str()]:
            return axis not in key_names(Matrix)
        case _:
            return False


def is_in_section(path: Parts) -> bool:
    """Return whether a list or mapping at a key path contains values that may be secrets."""
    return bool(_section(path)[0])


def shows_key(path: Parts) -> bool:
    """Return whether the last key of a path may be shown: it is a name, and no part of a value."""
    section, below = _section(path)
    if not section or path[-1] == _MERGE:
        return True
    match section, list(below):
        case ("probes", [int(), str()]) | ("hooks", [str(), int(), str()]):
            return _KEY.fullmatch(str(path[-1])) is not None
        case _:
            return len(below) <= (section != _UNKNOWN) and _KEY.fullmatch(str(path[-1])) is not None


def is_shown_key(key: str) -> bool:
    """Return whether a key is one of an environment or of a manifest, and its value is never a secret."""
    return _known(key, _ENTRY_KEYS) not in {"", *SECTIONS}


def _section(path: Parts) -> tuple[str, Parts]:
    """Return the section that a path is in, and the rest of the path below it; the section `?` is an unknown key.

    The section is empty if nothing at the path may be a secret.
    """
    match [part for part in path if part != _MERGE]:
        case [] | ["environments" | "templates"]:
            return "", ()
        case [int(), str() as key, *below]:
            return _section((key, *below))
        case ["environments" | "templates", int(), str() as name, *below] if below and not _known(name, _ENTRY_KEYS):
            return _in_entry(below)  # a list of `{NAME: {...}}`
        case ["environments" | "templates", _, *below]:
            return _in_entry(below)
        case [str() as key, *below]:
            known = _known(key, _TOP_KEYS)
            return (known or _UNKNOWN, below) if known in {"", *SECTIONS} else ("", ())
        case _:
            return _UNKNOWN, path


def _in_entry(path: Parts) -> tuple[str, Parts]:
    match list(path):
        case [] | [int()]:  # an environment, or a package in a list of them in its place
            return "", ()
        case [str() as key, *below]:
            known = _known(key, _ENTRY_KEYS)
            if known == "matrix":
                return _in_matrix(below)
            return (known or _UNKNOWN, below) if known in {"", *SECTIONS} else ("", ())
        case _:
            return _UNKNOWN, path


def _in_matrix(path: Parts) -> tuple[str, Parts]:
    match list(path):
        case [axis, str(), *below] if axis not in key_names(Matrix):
            return _in_entry(below)
        case _:
            return "", ()


def _known(key: str, known: frozenset[str]) -> str:
    """Return the key that a key is or most likely should be, empty if there is none."""
    if key in known:
        return key
    return meant_key(key, sorted(known)) if re.fullmatch(r"[a-z_-]+", key) else ""
