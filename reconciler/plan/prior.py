"""The prior: a digest of the observed state that shows whether a saved plan is out of date (docs/design.md, "Plan")."""

from reconciler.canonical_json import digest
from reconciler.interpreters.model import Interpreter
from reconciler.observe.actual import ActualEnvironment


def prior(actual: ActualEnvironment, interpreter: Interpreter | None) -> str:
    """Return the digest of an observed environment and of its base interpreter (None for a deletion).

    Times, inodes, generation numbers, sentences and the path of the root do not count, so that two observations of the
    same environment give the same digest.
    """
    return digest(
        {
            "depth": actual.depth,
            "occupant": actual.occupant,
            "seal": actual.seal,
            "python": [actual.python, actual.home, actual.system_site_packages],
            "distributions": sorted(f"{each.key} {each.identity}" for each in actual.distributions),
            "findings": sorted([each.key, each.package] for each in actual.findings),
            "interpreter": interpreter.identity if interpreter else None,
        }
    )
