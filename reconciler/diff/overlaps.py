"""Says which packages of an environment contain the same files with different contents, and whose are installed."""

from collections.abc import Iterable

from reconciler.backticks import in_backticks, list_in_backticks
from reconciler.diff.findings import SHOWN
from reconciler.lock.model import LockedPackage
from reconciler.state.applied import Applied
from reconciler.state.overlap import Overlap


def overlap_sentences(overlaps: Iterable[Overlap]) -> list[str]:
    """Return one sentence for each overlap whose contents differ; equal contents do no harm."""
    return [_sentence(each) for each in overlaps if not each.equal]


def overlap_notes(last: Applied | None, packages: Iterable[LockedPackage]) -> tuple[str, ...]:
    """Return the sentences about the overlaps of what was last applied, while `packages` still have them."""
    names = {each.name for each in packages}
    return tuple(overlap_sentences(each for each in (last.overlaps if last else ()) if names.issuperset(each.packages)))


def _sentence(overlap: Overlap) -> str:
    which = "the same file" if overlap.files == 1 else f"the same {overlap.files} files"
    that = "that" if overlap.files == 1 else "those"
    paths = list_in_backticks(overlap.paths[:SHOWN])
    more = overlap.files - len(overlap.paths[:SHOWN])
    return (
        f"{list_in_backticks(overlap.packages)} contain {which} with different contents; {that} of "
        f"{in_backticks(overlap.installed)} {'is' if overlap.files == 1 else 'are'} installed: {paths}"
        + (f" and {more} more" if more else "")
    )
