"""Which environments a command is about: those named, those labelled, and all that they depend on."""

from collections.abc import Collection, Iterable, Mapping, Sequence

from reconciler.errors import UsageError
from reconciler.manifest.desired import DesiredEnvironment
from reconciler.manifest.hints import did_you_mean, one_of


def select(
    environments: Mapping[str, DesiredEnvironment],
    cells: Mapping[str, Collection[str]],
    *,
    names: Sequence[str],
    labels: Mapping[str, str],
) -> tuple[DesiredEnvironment, ...]:
    """Return the environments that have one of `names` and all of `labels`, and those they depend on, by name.

    `cells` are the environments of each entry with a matrix: its name stands for all of them. Without names and
    labels it is every environment. Raises UsageError where a name or the labels fit none.
    """
    chosen = _named(environments, cells, names) if names else set(environments)
    if labels:
        chosen = {name for name in chosen if labels.items() <= environments[name].labels.items()}
        if not chosen:
            wanted = ", ".join(f"{name}={value}" for name, value in sorted(labels.items()))
            among = " among those named" if names else ""
            raise UsageError(f"no environment{among} has the label {wanted}", hint=_label_hint(environments, labels))
    return tuple(environments[name] for name in sorted(_with_dependencies(chosen, environments)))


def _named(
    environments: Mapping[str, DesiredEnvironment], cells: Mapping[str, Collection[str]], names: Iterable[str]
) -> set[str]:
    known = {*environments, *cells}
    chosen: set[str] = set()
    for name in names:
        if name not in known:
            raise UsageError(f"no environment `{name}`", hint=one_of(name, known, noun="environments"))
        chosen.update(cells.get(name) or (name,))
    return chosen


def _with_dependencies(chosen: Iterable[str], environments: Mapping[str, DesiredEnvironment]) -> set[str]:
    found: set[str] = set()
    waiting = list(chosen)
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += environments[name].depends_on
    return found


def _label_hint(environments: Mapping[str, DesiredEnvironment], labels: Mapping[str, str]) -> str | None:
    """Return the likeliest label that was meant, else all that there are."""
    existing = sorted({f"{name}={value}" for each in environments.values() for name, value in each.labels.items()})
    for name, value in sorted(labels.items()):
        if f"{name}={value}" not in existing:
            return did_you_mean(f"{name}={value}", existing) or one_of("", existing, noun="labels")
    return "several labels select what has all of them"
