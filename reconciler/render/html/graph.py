"""What an environment's distributions require: drawn where few, and always as a table that says the same."""

from collections.abc import Mapping

from reconciler.plan.model import EnvironmentPlan
from reconciler.render.escape import shown
from reconciler.render.html.layers import Graph, layers, names_of, requirers
from reconciler.render.html.markup import Markup, element
from reconciler.render.html.tables import row, table
from reconciler.render.layout import cells, cut
from reconciler.render.package_text import SYMBOLS

_DRAWN = 80  # nodes; beyond, a drawing is a thicket
_WIDEST = 30  # columns of a name
_CELL, _PADDING, _HEIGHT, _LINE, _GAP = 7.4, 10, 24, 34, 60  # pixels


def graph_section(environment: EnvironmentPlan, graph: Graph, *, number: int) -> Markup:
    """Return an environment's dependency graph, folded; `number` is its section's."""
    marks = {each.name: SYMBOLS[each.action][0] for each in environment.packages}
    title = f"Dependency graph: {_count(len(graph), 'distribution')} published"
    return element(
        "details",
        element("summary", element("h4", title)),
        drawing(graph, marks, title=title, number=number) if len(names_of(graph)) <= _DRAWN else None,
        _table(graph, marks),
        class_="graph",
    )


def drawing(graph: Graph, marks: Mapping[str, str], *, title: str, number: int) -> Markup | None:
    """Return the graph as SVG: left requires right; `marks` are the signs of what changes."""
    above = requirers(graph)
    alone = {name for name, each in above.items() if not each and not set(graph.get(name, ())) - {name}}
    drawn = {name: required for name, required in graph.items() if name not in alone}
    if not drawn:
        return None
    columns = layers(drawn)
    labels = {name: _label(name, marks) for name in names_of(drawn)}
    tallest = max(len(names) for names in columns)
    boxes: dict[str, tuple[float, float, float]] = {}  # left, middle, width
    left = 1.0
    for names in columns:
        width = max(cells(labels[name]) for name in names) * _CELL + 2 * _PADDING
        top = (tallest - len(names)) * _LINE / 2
        boxes |= {name: (left, top + index * _LINE + _LINE / 2, width) for index, name in enumerate(names)}
        left += width + _GAP
    lines = [
        element("path", d=_curve(boxes[name], boxes[each]), class_="changed" if {name, each} & marks.keys() else None)
        for name, required in sorted(drawn.items())
        for each in sorted(set(required) - {name})
    ]
    nodes = [_node(name, labels[name], box, _state(name, graph, marks)) for name, box in sorted(boxes.items())]
    size = (round(left - _GAP + 1), tallest * _LINE)
    svg = element(
        "svg",
        element("title", title, id=f"g{number}"),
        element("g", lines, class_="lines"),
        nodes,
        viewBox=f"0 0 {size[0]} {size[1]}",
        width=size[0],
        height=size[1],
        role="img",
        aria_labelledby=f"g{number}",
    )
    note = "Left requires right. A sign marks what changes; a dashed box is not installed. The table says the same."
    rest = f" On their own: {', '.join(sorted(alone))}." if alone else ""
    scrolls = element("div", svg, class_="scrolls", tabindex=0, role="region", aria_label=title)
    return element("figure", scrolls, element("figcaption", note, rest))


def _node(name: str, label: str, box: tuple[float, float, float], state: str) -> Markup:
    left, middle, width = box
    return element(
        "g",
        element("title", name),
        element("rect", x=f"{left:.1f}", y=f"{middle - _HEIGHT / 2:.1f}", width=f"{width:.1f}", height=_HEIGHT, rx=5),
        element("text", label, x=f"{left + _PADDING:.1f}", y=f"{middle + 4.5:.1f}"),
        class_=f"node {state}",
    )


def _curve(start: tuple[float, float, float], end: tuple[float, float, float]) -> str:
    x, y, x2, y2 = start[0] + start[2], start[1], end[0], end[1]
    bend = max(30.0, (x2 - x) / 2)
    return f"M{x:.1f} {y:.1f}C{x + bend:.1f} {y:.1f} {x2 - bend:.1f} {y2:.1f} {x2:.1f} {y2:.1f}"


def _label(name: str, marks: Mapping[str, str]) -> str:
    text = cut(shown(name), _WIDEST)
    return f"{marks[name]} {text}" if name in marks else text


def _state(name: str, graph: Graph, marks: Mapping[str, str]) -> str:
    if name not in graph:
        return "missing"
    return "changed" if name in marks else "same"


def _table(graph: Graph, marks: Mapping[str, str]) -> Markup:
    above = requirers(graph)
    rows = [
        row(
            _label(name, marks),
            ", ".join(sorted(set(graph.get(name, ())) - {name})),
            ", ".join(sorted(above[name])),
            "" if name in graph else "not installed",
        )
        for name in above
    ]
    return element(
        "details",
        element("summary", "As a table"),
        table("What requires what", ("Distribution", "Requires", "Required by", "Note"), rows),
    )


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
