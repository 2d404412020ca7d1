"""The text of build files, and strings in their TOML values."""

import os
import re
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

from reconciler.errors import LockError
from reconciler.fs.os_error_hint import os_error_hint
from reconciler.fs.read import open_regular, reason

BUILD_FILES = ("pyproject.toml", "setup.cfg", "setup.py")
_LARGEST_BYTES = 1024 * 1024  # as for every file that a manifest names
# The keys with the path of a file that a build writes from the version: it is a result and not an input.
WRITTEN = frozenset({"write_to", "version_file", "version-file", "write-to", "versionfile_source", "versionfile_build"})
_DEPENDENCY_TABLES = frozenset({"dependencies", "dev-dependencies", "group", "sources", "workspace", "requires"})


def build_file_text(path: Path) -> str | None:
    """Return the text of a build file, None if there is none; raises LockError if it cannot be read."""
    try:
        with os.fdopen(open_regular(path, follow=True), "rb") as file:
            return file.read(_LARGEST_BYTES).decode("utf-8", "replace")
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        return None
    except OSError as error:
        raise LockError(f"{path}: {reason(error)}", hint=os_error_hint(error)) from error


def table(parent: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    """Return a table in a table, an empty one if the key is missing or is not a table."""
    value = parent.get(key)
    return value if isinstance(value, dict) else {}


def strings(value: Any) -> list[str]:
    """Return every string in TOML values, without keys."""
    match value:
        case str():
            return [value]
        case dict():
            return [text for each in value.values() for text in strings(each)]
        case list():
            return [text for each in value for text in strings(each)]
        case _:
            return []


def hatch_build_tables(tables: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return the table `[tool.hatch.build]` and those of its targets."""
    build = table(table(table(tables, "tool"), "hatch"), "build")
    return [build, *(each for each in table(build, "targets").values() if isinstance(each, dict))]


def requires_only(names: Collection[str], texts: Mapping[str, str], tables: Mapping[str, Any]) -> bool:
    """Return whether a build requires only `names` (normalized), so that no other plugin takes part in it."""
    required = strings(table(tables, "build-system").get("requires", []))
    found = (re.split(r"[^A-Za-z0-9._-]", each.strip(), maxsplit=1)[0] for each in required)
    unlisted = {each.lower().replace("_", "-") for each in found} - {*names}
    return not unlisted and not any("setup_requires" in each for each in texts.values())


def placed_strings(value: Any, depends: bool = False) -> Iterator[tuple[str, bool]]:
    """Yield every string and key of TOML values, and whether it is in a table of dependencies."""
    match value:
        case str():
            yield value, depends
        case dict():
            for key, each in value.items():
                if key not in WRITTEN:
                    yield key, depends
                    yield from placed_strings(each, depends or key in _DEPENDENCY_TABLES)
        case list():
            for each in value:
                yield from placed_strings(each, depends)


def keys_and_strings(value: Any) -> Iterator[str]:
    """Yield every string and key of TOML values."""
    return (text for text, _ in placed_strings(value))
