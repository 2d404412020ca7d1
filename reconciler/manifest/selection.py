"""Selects environments by name and label, together with all environments that they depend on."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from reconciler.backticks import in_backticks
from reconciler.errors import UsageError
from reconciler.manifest.hints import did_you_mean, known_names_hint


@dataclass(frozen=True, slots=True, kw_only=True)
class EnvironmentOutline:
    """What a selection needs of an environment, without the files that it names."""

    labels: Mapping[str, str]
    depends_on: tuple[str, ...]


def select_environments(
    environments: Mapping[str, EnvironmentOutline],
    matrices: Mapping[str, Collection[str]],
    *,
    names: Sequence[str],
    labels: Mapping[str, str],
) -> frozenset[str]:
    """Return the names of the environments that have one of `names` and all of `labels`, and of those they depend on.

    `matrices` are the environments of each entry with a matrix; the entry's name selects all of them. Without names
    and labels every environment is selected. Raises UsageError if a name or the labels match no environment.
    """
    chosen = _named(environments, matrices, names) if names else set(environments)
    if labels:
        chosen = {name for name in chosen if labels.items() <= environments[name].labels.items()}
        if not chosen:
            wanted = " and ".join(in_backticks(f"{name}={value}") for name, value in sorted(labels.items()))
            none = "none of the named environments" if names else "no environment"
            message = f"{none} has the label{'s' if len(labels) > 1 else ''} {wanted}"
            raise UsageError(message, hint=_label_hint(environments, labels))
    return frozenset(_with_dependencies(chosen, environments))


def _named(
    environments: Mapping[str, EnvironmentOutline], matrices: Mapping[str, Collection[str]], names: Iterable[str]
) -> set[str]:
    known = {*environments, *matrices}
    chosen: set[str] = set()
    for name in names:
        if name not in known:
            raise UsageError(
                f"no environment named {in_backticks(name)}", hint=known_names_hint(name, known, noun="environments")
            )
        chosen.update(matrices.get(name) or (name,))
    return chosen


def _with_dependencies(chosen: Iterable[str], environments: Mapping[str, EnvironmentOutline]) -> set[str]:
    found: set[str] = set()
    waiting = list(chosen)
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += environments[name].depends_on
    return found


def _label_hint(environments: Mapping[str, EnvironmentOutline], labels: Mapping[str, str]) -> str | None:
    """Return a hint with the closest existing label, or with all labels."""
    existing = sorted({f"{name}={value}" for each in environments.values() for name, value in each.labels.items()})
    for name, value in sorted(labels.items()):
        if f"{name}={value}" not in existing:
            return did_you_mean(f"{name}={value}", existing) or known_names_hint("", existing, noun="labels")
    return "use fewer labels: an environment is selected only if it has all of them"
