"""An environment's dependency graph: a drawing, unless it is too large, and a table with the same data."""

from collections.abc import Mapping

from reconciler.plan.model import EnvironmentPlan
from reconciler.render.escape import sanitize
from reconciler.render.html.graph_layers import Graph, layers, node_names, requirers
from reconciler.render.html.markup import Markup, element
from reconciler.render.html.tables import row, table
from reconciler.render.package_text import PACKAGE_SYMBOLS
from reconciler.render.phrases import count
from reconciler.render.text_width import cell_width, truncate

_MAX_DRAWN = 80  # nodes; a larger drawing is unreadable
_MAX_NAME_WIDTH = 30  # columns
_CELL, _PADDING, _HEIGHT, _LINE, _GAP = 7.4, 10, 24, 34, 60  # pixels


def graph_section(environment: EnvironmentPlan, graph: Graph, *, number: int) -> Markup:
    """Return an environment's dependency graph, folded; `number` is that of the environment's section."""
    marks = {each.name: PACKAGE_SYMBOLS[each.action][0] for each in environment.packages}
    title = f"Dependency graph: {count(len(graph), 'distribution')}"
    return element(
        "details",
        element("summary", element("h4", title)),
        drawing(graph, marks, title=title, number=number) if len(node_names(graph)) <= _MAX_DRAWN else None,
        _table(graph, marks),
        class_="graph",
    )


def drawing(graph: Graph, marks: Mapping[str, str], *, title: str, number: int) -> Markup | None:
    """Return the graph as SVG, in which left requires right; `marks` are the symbols of changing distributions."""
    required_by = requirers(graph)
    unconnected = {name for name, each in required_by.items() if not each and not set(graph.get(name, ())) - {name}}
    drawn = {name: required for name, required in graph.items() if name not in unconnected}
    if not drawn:
        return None
    columns = layers(drawn)
    labels = {name: _label(name, marks) for name in node_names(drawn)}
    tallest = max(len(names) for names in columns)
    boxes: dict[str, tuple[float, float, float]] = {}  # left, middle, width
    left = 1.0
    for names in columns:
        width = max(cell_width(labels[name]) for name in names) * _CELL + 2 * _PADDING
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
    note = (
        "Each distribution requires those to its right. A symbol marks a change; a dashed box is not installed. "
        "The table below has the same data."
    )
    rest = f" Not connected: {', '.join(sorted(unconnected))}." if unconnected else ""
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
    text = truncate(sanitize(name), _MAX_NAME_WIDTH)
    return f"{marks[name]} {text}" if name in marks else text


def _state(name: str, graph: Graph, marks: Mapping[str, str]) -> str:
    if name not in graph:
        return "missing"
    return "changed" if name in marks else "same"


def _table(graph: Graph, marks: Mapping[str, str]) -> Markup:
    required_by = requirers(graph)
    rows = [
        row(
            _label(name, marks),
            ", ".join(sorted(set(graph.get(name, ())) - {name})),
            ", ".join(sorted(required_by[name])),
            "" if name in graph else "not installed",
        )
        for name in required_by
    ]
    return element(
        "details",
        element("summary", "Table"),
        table("Dependencies", ("Distribution", "Requires", "Required by", "Note"), rows),
    )
