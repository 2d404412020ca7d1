"""The dependency graph of the HTML report: its drawing, and the table with the same data."""

import re

import pytest

from reconciler.render.html.graph import drawing, graph_section
from tests.plan.build import world

[NEW] = world({"manifest": {"web": {"packages": {"six": "1.0"}}}}).plan().environments
GRAPH = {"web": ("six", "idna"), "six": (), "alone": (), "loop": ("loop", "web")}
DRAWN = (
    '<figure><div class="scrolls" tabindex="0" role="region" aria-label="T">'
    '<svg viewBox="0 0 271 68" width="271" height="68" role="img" aria-labelledby="g3"><title id="g3">T</title>'
    '<g class="lines"><path d="M50.6 34.0C80.6 34.0 80.6 34.0 110.6 34.0"></path>'
    '<path d="M152.8 34.0C182.8 34.0 182.8 17.0 212.8 17.0"></path>'
    '<path d="M152.8 34.0C182.8 34.0 182.8 51.0 212.8 51.0" class="changed"></path></g>'
    '<g class="node missing"><title>idna</title><rect x="212.8" y="5.0" width="57.0" height="24" rx="5"></rect>'
    '<text x="222.8" y="21.5">idna</text></g>'
    '<g class="node same"><title>loop</title><rect x="1.0" y="22.0" width="49.6" height="24" rx="5"></rect>'
    '<text x="11.0" y="38.5">loop</text></g>'
    '<g class="node changed"><title>six</title><rect x="212.8" y="39.0" width="57.0" height="24" rx="5"></rect>'
    '<text x="222.8" y="55.5">+ six</text></g>'
    '<g class="node same"><title>web</title><rect x="110.6" y="22.0" width="42.2" height="24" rx="5"></rect>'
    '<text x="120.6" y="38.5">web</text></g></svg></div>'
    "<figcaption>Each distribution requires those to its right. A symbol marks a change; a dashed box is not "
    "installed. The table below has the same data. Not connected: alone.</figcaption></figure>"
)


def test_the_drawing_has_every_box_line_and_symbol_in_its_place() -> None:
    drawn = drawing(GRAPH, {"six": "+"}, title="T", number=3)
    assert drawn is not None
    assert drawn.text == DRAWN


@pytest.mark.parametrize("graph", [{}, {"six": ()}, {"six": (), "idna": ("idna",)}])
def test_distributions_that_are_not_connected_are_not_drawn(graph: dict[str, tuple[str, ...]]) -> None:
    assert drawing(graph, {}, title="T", number=1) is None


def test_a_graph_without_unconnected_distributions_names_none() -> None:
    assert "Not connected" not in drawing({"web": ("six",), "six": ()}, {}, title="T", number=1).text  # type: ignore[union-attr]


@pytest.mark.parametrize(("number", "drawn"), [(80, True), (81, False)])
def test_a_large_graph_is_only_a_table(number: int, drawn: bool) -> None:
    graph = {f"a{each}": (f"a{each + 1}",) for each in range(number - 1)}
    text = graph_section(NEW, graph, number=1).text
    assert ("<svg" in text) is drawn
    assert text.count("<tr>") == number + 1


def test_the_table_has_every_distribution_with_what_it_requires() -> None:
    text = graph_section(NEW, GRAPH, number=1).text
    rows = [re.findall(r"<t[dh][^>]*>(.*?)</t[dh]>", each) for each in re.findall(r"<tr>(.*?)</tr>", text)]
    assert rows == [
        ["Distribution", "Requires", "Required by", "Note"],
        ["alone", "", "", ""],
        ["idna", "", "web", "not installed"],
        ["loop", "web", "", ""],
        ["+ six", "", "web", ""],
        ["web", "idna, six", "loop", ""],
    ]
    assert "<h4>Dependency graph: 4 distributions</h4>" in text
