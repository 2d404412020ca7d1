"""The table of results, for a terminal and for docs/compatibility.md; tests/layouts/results.json keeps them."""

import json
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path

from tests.layouts.build_backends import BACKENDS
from tests.layouts.catalog import LAYOUTS
from tests.layouts.edits import EDITS
from tests.layouts.trial import BUILT, EDITABLE, START, Result, Verdict

_BUILDING = frozenset(
    {"setuptools", "setuptools-scm", "hatchling", "hatch-vcs", "flit-core", "poetry-core", "pdm-backend", "uv-build"}
)


def table(results: Sequence[Result]) -> str:
    """Return a Markdown table with a row for each layout: the verdict about the editable and the other environment."""
    edits = [name for name in (START, *EDITS) if any(each.edit == name for each in results)]
    found = {(each.layout, each.edit, each.environment): each for each in results}
    lines = [f"| layout | {' | '.join(edits)} |", f"|---|{'---|' * len(edits)}"]
    for layout in LAYOUTS:
        if any(each.layout == layout for each in results):
            cells = [_cell([found.get((layout, edit, each)) for each in (EDITABLE, BUILT)]) for edit in edits]
            lines.append(f"| {layout} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def section(results: Sequence[Result], python: str) -> str:
    """Return the section of docs/compatibility.md: the layouts, the table, and how many environments it has."""
    tried = [LAYOUTS[name] for name in LAYOUTS if any(each.layout == name for each in results)]
    edited = [each for each in results if each.edit != START and each.verdict is not Verdict.ABSENT]
    backends = ", ".join(f"{each.replace('==', ' ')}" for each in BACKENDS if each.partition("==")[0] in _BUILDING)
    counts = {verdict: sum(each.verdict is verdict for each in edited) for verdict in Verdict}
    counted = ", ".join(f"{count} {verdict}" for verdict, count in counts.items() if count)
    lines = [
        "| layout | backend | what it has |",
        "|---|---|---|",
        *(f"| {each.name} | {each.backend} | {each.about} |" for each in tried),
        "",
        f"Measured with {python}, uv {_uv_version()}, {backends}.",
        f"After the edits, {len(edited)} environments were compared: {counted}.",
        f"{sum(bool(each.left_behind) for each in results)} environments left files behind in the sources.",
        "",
    ]
    return "\n".join(lines) + "\n" + table(results)


def _uv_version() -> str:
    return metadata.version("uv")


def kept_results(path: Path) -> list[Result]:
    """Return the results that earlier runs wrote."""
    rows = json.loads(path.read_text(encoding="utf-8")) if path.exists() else []
    return [
        Result(
            layout=row["layout"],
            edit=row["edit"],
            environment=row["environment"],
            verdict=Verdict(row["verdict"]),
            left_behind=tuple(row["left_behind"]),
        )
        for row in rows
        if row["layout"] in LAYOUTS and row["edit"] in (START, *EDITS)
    ]


def keep_results(path: Path, results: Sequence[Result]) -> list[Result]:
    """Add results to those of earlier runs, and replace the same ones; return all, without reasons."""
    found = {(each.layout, each.edit, each.environment): each for each in (*kept_results(path), *results)}
    order = {name: number for number, name in enumerate((*LAYOUTS, START, *EDITS))}
    ordered = sorted(found.values(), key=lambda each: (order[each.layout], order[each.edit], each.environment))
    rows = [
        json.dumps(
            {
                "layout": each.layout,
                "edit": each.edit,
                "environment": each.environment,
                "verdict": each.verdict,
                "left_behind": each.left_behind,
            }
        )
        for each in ordered
    ]
    path.write_text("[\n" + ",\n".join(rows) + "\n]\n", encoding="utf-8")
    return ordered


def faults(results: Sequence[Result]) -> str:
    """Return the reasons of each result that is not as it must be; the same reasons after a later edit only once."""
    lines = []
    known: dict[tuple[str, str, tuple[str, ...]], str] = {}
    for each in results:
        if each.bad:
            first = known.setdefault((each.layout, each.environment, each.reasons), each.edit)
            again = f", for the same reasons as after {first}" if each.reasons and first != each.edit else ""
            lines.append(f"{each.layout}, {each.edit}, {each.environment}: {each.verdict}{again}")
            lines += [f"    {reason}" for reason in each.reasons[:4] if not again]
            lines += [f"    left behind: {place}" for place in each.left_behind[:4]]
    return "".join(f"{line}\n" for line in lines)


def _cell(pair: Sequence[Result | None]) -> str:
    verdicts = [f"{each.verdict}{', left files' if each.left_behind else ''}" for each in pair if each is not None]
    return verdicts[0] if len(set(verdicts)) == 1 else " / ".join(verdicts)
