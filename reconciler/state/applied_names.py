"""Messages and hints about names of environments that were never applied."""

from collections.abc import Iterable

from reconciler.backticks import list_in_backticks
from reconciler.manifest.hints import did_you_mean


def never_applied(names: Iterable[str]) -> str:
    """Return the message that these environments, at least one, were never applied in this root."""
    unknown = list(names)
    subject, verb = ("environment", "was") if len(unknown) == 1 else ("environments", "were")
    return f"{subject} {list_in_backticks(unknown)} {verb} never applied in this root"


def applied_names_hint(names: Iterable[str], applied: Iterable[str]) -> str | None:
    """Return a hint for environments that were never applied: the closest match, or all applied ones; None if none."""
    known = sorted(applied)
    suggestions = (did_you_mean(name, known) for name in names)
    listed = f"choose from the applied environments: {list_in_backticks(known)}" if known else None
    return next((each for each in suggestions if each), listed)
