"""What `history`, `verify` and `gc` print, as text and as JSON."""

from collections.abc import Sequence

from reconciler.apply.collect import Removable
from reconciler.canonical_json import Json, to_json
from reconciler.diff.integrity import Integrity
from reconciler.json_output import json_text, outgoing
from reconciler.maintenance import KeptGeneration
from reconciler.render.escape import shown
from reconciler.render.finding_text import finding_lines
from reconciler.render.layout import Piece, lay_out, table
from reconciler.render.package_text import package_lines
from reconciler.render.style import Palette, Style


def render_generations(kept: Sequence[KeptGeneration], *, palette: Palette, width: int) -> str:
    """Return the kept generations as a table, the published one marked."""
    rows = [
        [
            Piece(text="*" if each.published else "", style=Style.GOOD),
            Piece(text=shown(each.name), style=Style.STRONG),
            Piece(text=str(each.number)),
            Piece(text=shown(each.created)),
            Piece(text=shown(each.python)),
            Piece(text=str(each.packages)),
        ]
        for each in kept
    ]
    return _table(("", "NAME", "GENERATION", "MADE", "PYTHON", "PACKAGES"), rows, palette=palette, width=width)


def render_runs(runs: Sequence[dict[str, Json]], *, palette: Palette, width: int) -> str:
    """Return the runs as a table, a row for each environment that a run touched, oldest first."""
    rows = []
    for run in runs:
        environments = run.get("environments")
        for each in environments if isinstance(environments, list) else []:
            if isinstance(each, dict):
                reasons = each.get("reasons")
                why = ", ".join(str(reason) for reason in reasons) if isinstance(reasons, list) else ""
                cells = [run.get("at"), run.get("by"), each.get("name"), each.get("action"), each.get("status")]
                row = [Piece(text=shown(str(cell or "-"))) for cell in cells]
                rows.append([*row, Piece(text=str(each.get("generation") or "-")), Piece(text=shown(why))])
    titles = ("WHEN", "WHO", "NAME", "ACTION", "STATUS", "GENERATION", "WHY")
    return _table(titles, rows, palette=palette, width=width)


def render_verified(verified: Sequence[Integrity], *, palette: Palette, width: int) -> str:
    """Return how each environment stands against its seal, damage listed, and a summary line."""
    lines: list[str] = []
    heads = table([_verified_columns(each) for each in verified]) if verified else []
    for head, each in zip(heads, verified, strict=True):
        said = "as it was sealed" if each.intact else "damaged" if each.there else "gone"
        lines += lay_out(head, [Piece(text=said)], palette=palette, width=width, indent=2)
        lines += package_lines(each.packages, palette=palette, width=width, all_files=False)
        rest = [finding for finding in each.findings if not finding.package]
        lines += finding_lines(rest, said=(), palette=palette, width=width, whole=False)
    damaged = sum(not each.intact for each in verified)
    summary = (
        f"Verify: {damaged} damaged, {len(verified) - damaged} as sealed." if damaged else _all_well(len(verified))
    )
    return "".join(f"{line}\n" for line in [*lines, *([""] if lines else []), summary])


def _verified_columns(verified: Integrity) -> list[Piece]:
    mark, style = ("=", Style.GOOD) if verified.intact else ("!", Style.REPLACED)
    return [
        Piece(text=mark, style=style, gap=1),
        Piece(text=shown(verified.name), style=Style.STRONG),
        Piece(text=f"generation {verified.generation}"),
    ]


def render_collected(found: Sequence[Removable], *, dry_run: bool) -> str:
    """Return a line for each generation that was, or would be, deleted, or is kept because it is used."""
    verb = "would be deleted" if dry_run else "deleted"
    lines = [f"{shown(each.name)}: generation {each.generation.number} {_fate(each, verb)}" for each in found]
    return "".join(f"{line}\n" for line in lines) if lines else "Nothing to collect.\n"


def _fate(each: Removable, verb: str) -> str:
    if each.used:
        return "is in use by a live process: kept"
    return f"is left as it is: {shown(each.foreign)}" if each.foreign else verb


def collected_json(found: Sequence[Removable]) -> str:
    """Return the same as a JSON array."""
    return documents_json(
        [
            {
                "name": each.name,
                "generation": each.generation.number,
                "used": each.used,
                "foreign": each.foreign,
            }
            for each in found
        ]
    )


def verified_json(verified: Sequence[Integrity]) -> str:
    """Return the verified environments as a JSON array, `intact` included."""
    found = []
    for each in verified:
        document = to_json(each)
        if isinstance(document, dict):
            found.append({"intact": each.intact, **document})
    return documents_json(found)


def generations_json(kept: Sequence[KeptGeneration]) -> str:
    """Return the kept generations as a JSON array."""
    return documents_json([to_json(each) for each in kept])


def documents_json(documents: Sequence[Json] | Sequence[dict[str, Json]]) -> str:
    """Return JSON values as an array that may go out: no secret in it, ASCII only, a line end."""
    return json_text([outgoing(each) for each in documents], indent=2)


def _table(titles: Sequence[str], rows: list[list[Piece]], *, palette: Palette, width: int) -> str:
    if not rows:
        return "Nothing yet.\n"
    lines = table([[Piece(text=each, style=Style.FAINT) for each in titles], *rows])
    return "".join(f"{line}\n" for each in lines for line in lay_out(each, [], palette=palette, width=width))


def _all_well(count: int) -> str:
    if count == 0:
        return "Nothing was applied here yet."
    return f"All well. {count} environment{' is' if count == 1 else 's are'} as sealed."
