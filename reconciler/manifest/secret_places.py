"""Which values of a manifest may be secrets, by their key paths: no error shows them.

The rule lists what may be shown, so a value at an unknown or misspelt key is not shown either. It is the same whether
a value is `public` or not: a manifest with an error may not say it where a reader expects it. See docs/design.md,
"Secrets".
"""

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import TypeAlias

from reconciler.manifest.models import Environment, Manifest, Matrix, Project
from reconciler.manifest.names import FROM_ENV, PUBLIC
from reconciler.manifest.validation_errors import key_names, meant_key

Parts: TypeAlias = Sequence[str | int]

SECTIONS = frozenset({"env", "build_env", "hooks", "probes", "health"})
_ENTRIES = ("environments", "templates")
_UNKNOWN = "?"
_ENTRY_KEYS = (*key_names(Environment), *key_names(Project))
_TOP_KEYS = tuple(key_names(Manifest))
_ALL_KEYS = frozenset({*_ENTRY_KEYS, *_TOP_KEYS})
_COMMAND_KEYS = ("run", "import", "timeout", "public")
_SECTION_KEYS = frozenset(
    {"run", "import", "timeout", "public", "for", "otherwise", "after_publish", "before_delete", "on_failure", FROM_ENV}
)
_MERGE = "<<"
# A key that may be shown next to a value that may not.
_KEY = re.compile(r"[\w.-]{0,100}", re.ASCII)


def may_be_secret(path: Parts) -> bool:
    """Return whether the text or number at a key path may be a secret."""
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
    """Return whether the last key of a path may be shown: it is a name, and not a part of a value."""
    section, below = _section(path)
    if not section or path[-1] == _MERGE:
        return True
    match section, list(below):
        case ("probes", [int(), str() as key]) | ("hooks", [str(), int(), str() as key]):
            return bool(meant_key(key, _COMMAND_KEYS))
        case _:
            return len(below) <= (section != _UNKNOWN) and _KEY.fullmatch(str(path[-1])) is not None


def is_shown_key(key: str) -> bool:
    """Return whether a key is one of an environment or of a manifest, and its value is never a secret."""
    return (_known(key, _ENTRY_KEYS) or _known(key, _TOP_KEYS)) not in {"", *SECTIONS}


def is_key_of_section(key: str) -> bool:
    """Return whether a key is one that envsync reads in a value that contains secrets, or of such a value."""
    return key in _SECTION_KEYS or key in SECTIONS


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
            if known in _ENTRIES:
                return _section((known, *below))
            return _in_value(known, below)
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
            return _section((known, *below))  # also for a key in the wrong place, such as `environments`
        case _:
            return _UNKNOWN, path


def _in_value(key: str, below: Parts) -> tuple[str, Parts]:
    """Return the section of a path below a known key; a section can be in a wrong place, after a bracket too many."""
    if key in {"", *SECTIONS}:
        return key or _UNKNOWN, below
    inner = next((at for at, part in enumerate(below) if part in SECTIONS), None)
    return ("", ()) if inner is None or key == "labels" else (str(below[inner]), below[inner + 1 :])


def _in_matrix(path: Parts) -> tuple[str, Parts]:
    match list(path):
        case [axis, str(), *below] if axis not in key_names(Matrix):
            return _in_entry(below)
        case _:
            return _in_value("matrix", path)


@lru_cache(maxsize=4096)  # a file has the same keys again and again, and compared with each known one they take long
def _known(key: str, known: tuple[str, ...]) -> str:
    """Return the key that a key is or most likely should be, empty if there is none."""
    if key in _ALL_KEYS:
        return key
    return meant_key(key, known) if re.fullmatch(r"[a-z_-]+", key) else ""
