"""What `gc` prints: the generations that were deleted, those that nothing retains but were kept, and the caches."""

from collections.abc import Sequence

from reconciler.apply.collect import Removable
from reconciler.apply.collect_cache import CollectedCache
from reconciler.canonical_json import Json
from reconciler.json_output import json_array
from reconciler.render.escape import sanitize
from reconciler.render.phrases import count, size_text


def render_gc(found: Sequence[Removable], caches: Sequence[CollectedCache], *, dry_run: bool) -> str:
    """Return a line for each generation (what happened to it, or would happen), and then one for each cache."""
    verb = "would be deleted" if dry_run else "deleted"
    lines = [f"{sanitize(each.name)}: generation {each.generation.number} {_outcome(each, verb)}" for each in found]
    lines = lines or ["No generations to delete."]
    lines += [f"cache: {each.kind}: {_collected(each)}" for each in caches]
    return "".join(f"{line}\n" for line in lines)


def gc_json(found: Sequence[Removable], caches: Sequence[CollectedCache]) -> str:
    """Return the generations as a JSON array; `used`, `foreign` and `failure` say why one is kept.

    An object for each cache follows: `cache` is its kind, `count` and `bytes` are what was deleted.
    """
    generations: list[dict[str, Json]] = [
        {
            "name": each.name,
            "generation": each.generation.number,
            "used": each.used,
            "foreign": each.foreign,
            "failure": each.failure,
        }
        for each in found
    ]
    collected: list[dict[str, Json]] = [
        {"cache": each.kind, "count": each.count, "bytes": each.size, "failure": each.failure} for each in caches
    ]
    return json_array([*generations, *collected])


def _outcome(each: Removable, verb: str) -> str:
    if each.used:
        return "kept: a running process uses it"
    reason = each.foreign or each.failure
    return f"kept: {sanitize(reason)}" if reason else verb


def _collected(each: CollectedCache) -> str:
    if each.failure:
        return f"not deleted: {sanitize(each.failure)}"
    if not each.count:
        return "nothing to delete"
    noun = "file" if each.kind == "packages" else "entry"
    plural = count(each.count, noun) if noun == "file" else f"{each.count} {'entry' if each.count == 1 else 'entries'}"
    return f"{plural} deleted" + (f", {size_text(each.size)} freed" if each.size else "")
