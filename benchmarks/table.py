"""Results as Markdown tables for docs/performance.md: aims, medians, growth."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from benchmarks.growth import growths
from benchmarks.operation import Series, ratio
from benchmarks.results import Results, Verdict

BEGIN, END = "<!-- benchmarks -->", "<!-- /benchmarks -->"


def render(results: Results) -> str:
    """Return the tables as Markdown."""
    versions = ", ".join(f"{name} {version}" for name, version in results.versions.items())
    measured = f"Measured {results.measured}: {versions}; {results.system}, {results.processors} processors"
    parts = [
        f"{measured}; medians of {results.rounds} rounds.",
        "### Aims",
        _table(("operation: command", "compared with", "aim", "measured", "result"), _aims(results)),
        "### Medians",
        _table(("operation", "command", "ms", "times the first", "peak MiB"), _medians(results)),
        "### Growth",
        "The cost is about *number to the power of exponent*. It includes start-up, which does not grow.",
        _table(("command", "by number of", "ms", "exponent", "of the last two"), _growth(results)),
    ]
    return "\n\n".join(parts) + "\n"


def put_into(path: Path, results: Results) -> None:
    """Replace the tables between the markers of a document. Raise ValueError if a marker is missing."""
    before, begin, rest = path.read_text(encoding="utf-8").partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise ValueError(f"{path.name} does not contain {BEGIN} and {END}")
    path.write_text(f"{before}{BEGIN}\n\n{render(results)}\n{END}{after}", encoding="utf-8")


def _aims(results: Results) -> Iterable[Sequence[str]]:
    for result in results.operations:
        for each in result.aims:
            verdict = "met" if each.met else f"missed by {each.measured / each.limit:.2f}x"
            yield (f"{result.title}: {each.ours}", each.theirs, *_limit_and_measured(each), verdict)


def _limit_and_measured(verdict: Verdict) -> tuple[str, str]:
    if not verdict.theirs:
        return f"under {verdict.limit:.0f} MiB", f"{verdict.measured:.1f} MiB"
    if verdict.limit <= 1 / 8:
        if verdict.theirs.endswith(" step"):
            return f"at most {verdict.limit:.0%}", f"{verdict.measured:.1%}"
        return f"at least {1 / verdict.limit:.0f}x faster", f"{1 / verdict.measured:.1f}x faster"
    fixed = f" + {verdict.fixed * 1000:.0f} ms" if verdict.fixed else ""
    return f"at most {verdict.limit:g}x{fixed}", f"{verdict.measured:.2f}x{fixed}"


def _medians(results: Results) -> Iterable[Sequence[str]]:
    for result in results.operations:
        if result.not_run:
            yield (result.title, result.not_run, "not run", "", "")
        for number, each in enumerate(result.series):
            name = f"{each.name} (sampled, times {each.times})" if each.times > 1 else each.name
            held = "" if number == 0 else f"{ratio(each, result.series[0]):.2f}"
            title = result.title if number == 0 else ""
            yield (title, name, _milliseconds(each), held, f"{each.peak_kib / 1024:.1f}" if each.peak_kib else "")


def _growth(results: Results) -> Iterable[Sequence[str]]:
    for each in growths(results):
        points = ", ".join(f"{number:,}: {_number(seconds * 1000)}" for number, seconds in each.points)
        yield (each.series, each.against, points, f"{each.exponent:.2f}", f"{each.last:.2f}")


def _milliseconds(series: Series) -> str:
    return _number(series.median * 1000)


def _number(milliseconds: float) -> str:
    return f"{milliseconds:,.1f}" if abs(milliseconds) < 100 else f"{milliseconds:,.0f}"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
