"""Describe in a sentence how a generation differs from its seal."""

from reconciler.diff.integrity import Integrity


def describe_damage(found: Integrity) -> str:
    """Return in one sentence how a generation differs from its seal: the first three differences, and how many more."""
    explained = {each.name for each in found.packages}
    differences = [f"`{each.name}`: {each.message}" for each in found.packages]
    differences += [
        f"{f'`{each.path}`' if each.path else 'the environment'}: {each.detail}"
        for each in found.findings
        if each.package not in explained
    ]
    if not differences:
        return "its virtual environment does not exist"
    return "; ".join(differences[:3]) + (f"; and {len(differences) - 3} more" if len(differences) > 3 else "")
