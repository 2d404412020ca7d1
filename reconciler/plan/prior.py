"""The prior: a digest of what was observed, by which a saved plan knows that nothing moved (design, section 7)."""

from reconciler.canonical_json import digest
from reconciler.interpreters.model import Interpreter
from reconciler.observe.actual import ActualEnvironment


def prior(actual: ActualEnvironment, interpreter: Interpreter | None) -> str:
    """Return the digest of what stands at a path and of the base interpreter it is for (None for a delete).

    In it are no times, inodes, generation numbers, sentences or places below the root: two looks at the same thing
    agree, wherever the root is.
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
