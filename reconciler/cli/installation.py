"""Recognizes an installation whose files another distribution has overwritten: `reconciler` is a common name."""

import sys
from importlib import metadata

DISTRIBUTION = "envsync-reconciler"
_PACKAGE = "reconciler/"
_FAILURE = 1  # reconciler.exit_codes may be one of the overwritten files


def report_overwritten(error: ImportError) -> int:
    """Report on standard error which distributions share the package's directory; return the exit code.

    Raises `error` again if no other distribution does: it is then a fault of envsync itself.
    """
    others = _other_distributions()
    if not others:
        raise error
    verb = "has" if len(others) == 1 else "have"
    sys.stderr.write(
        f"error: {' and '.join(others)} {verb} overwritten files of the package `reconciler`, "
        f"which belongs to {DISTRIBUTION}\n"
        "hint: create a new virtual environment and install only envsync in it\n"
    )
    return _FAILURE


def _other_distributions() -> list[str]:
    """Return the names and versions of other distributions with files below `reconciler/`, sorted."""
    found = set()
    for distribution in metadata.distributions():
        name = distribution.metadata["Name"] or ""
        if name.replace("_", "-").lower() == DISTRIBUTION:
            continue
        if any(str(file).startswith(_PACKAGE) for file in distribution.files or ()):
            found.add(f"{name} {distribution.version}")
    return sorted(found)
