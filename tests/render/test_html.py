"""The HTML page: it contains what the plan has, no string becomes markup, and equal reports give equal bytes."""

import base64
import hashlib
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cache
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.events import Failure, RunFinished
from reconciler.plan.model import Plan
from reconciler.render.html import html
from reconciler.render.html.changes import failure_note
from reconciler.render.html.graph_layers import layers
from reconciler.render.report import Report
from tests.host import base_environment
from tests.plan.build import world
from tests.render.large_plan import large_plan
from tests.render.pictures import CASES, GRAPH, RUNS, load_plan
from tests.render.sample_events import ENDS
from tests.render.untrusted import NASTY, SECRET, replace_strings, texts

PLANS = sorted(CASES.glob("*.yaml"))
CORPUS = sorted((CASES.parent / "plan").glob("*.yaml"))
_VOID = {"meta", "input"}
_ELEMENTS = """
    html head meta title style script body a header main section footer div span h1 h2 h3 h4 p ul li dl dt dd code pre
    strong table caption thead tbody tr th td time details summary button input label figure figcaption
    svg g path rect text
"""
_ATTRIBUTES = """
    lang charset http-equiv content name type href class id hidden open role tabindex scope autocomplete d x y rx
    width height viewbox aria-label aria-labelledby aria-live aria-hidden data-name data-kind data-origins
    data-filter-kind data-filter-origin
"""
ELEMENTS, ATTRIBUTES = frozenset(_ELEMENTS.split()), frozenset(_ATTRIBUTES.split())


@dataclass
class Page(HTMLParser):
    """A page as a browser's parser sees it: elements with their attributes, in order, and the text."""

    elements: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    text: list[str] = field(default_factory=list)
    open: list[str] = field(default_factory=list)
    policy: str = ""

    def __post_init__(self) -> None:
        super().__init__(convert_charrefs=True)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert len({name for name, _ in attrs}) == len(attrs), attrs
        self.elements.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in _VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] not in {"style", "script"}:
            self.text.append(data)

    def handle_comment(self, data: str) -> None:
        raise AssertionError(f"a comment: {data}")

    def handle_pi(self, data: str) -> None:
        raise AssertionError(f"an instruction: {data}")

    def unknown_decl(self, data: str) -> None:
        raise AssertionError(f"a declaration: {data}")

    def all(self, tag: str, **attributes: str) -> Iterator[dict[str, str]]:
        for name, found in self.elements:
            if name == tag and attributes.items() <= found.items():
                yield found


def read(text: str) -> Page:
    page = Page()
    page.feed(text)
    page.close()
    assert page.open == []
    return page


@cache
def report(path: Path = CASES / "everything.yaml") -> Report:
    ends = tuple(replace(each, environment=name) for each, name in zip(ENDS, ("web", "cron", "data"), strict=False))
    return Report(
        plan=load_plan(path),
        command="apply",
        file="envs.yaml",
        places={"web": "envs.yaml:12:3"},
        result=RunFinished(environments=ends),
        runs=RUNS,
        graphs={"web": GRAPH},
    )


def assert_ours(text: str) -> Page:
    """Return the page; assert that it has only our elements and attributes, and loads and links nothing external."""
    assert text.isascii()
    assert SECRET not in text
    page = read(text)
    for tag, attributes in page.elements:
        assert tag in ELEMENTS, tag
        assert attributes.keys() <= ATTRIBUTES, (tag, attributes)
        assert re.fullmatch(r"#(e\d+|environments)", attributes.get("href", "#e1"))
    seen = "".join(page.text)
    assert all(each.isprintable() or each == "\n" for each in seen)
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    targets = {attributes["href"][1:] for _, attributes in page.elements if "href" in attributes}
    named = {each for _, attributes in page.elements for each in attributes.get("aria-labelledby", "").split()}
    assert targets | named <= set(ids)
    return page


def test_the_page_names_each_environment_and_what_changes_in_it() -> None:
    plan = report().plan
    page = assert_ours(html(report()))
    text = " ".join(page.text)
    rows = [each["data-name"] for each in page.all("tr") if "data-name" in each]
    assert sorted(rows) == [each.name for each in plan.environments]
    assert [each["data-name"] for each in page.all("section") if "data-name" in each] == [
        each.name for each in plan.changes
    ]
    for each in plan.changes:
        for reason in (*each.reasons, *each.blocked):
            assert reason.message in text
        for change in each.packages:
            assert change.name in text
            assert (change.before or "") in text
            assert (change.after or "") in text
        for finding in each.findings:
            assert finding.path in text
        assert all(hint in text for hint in each.hints)
    assert "the redacted part changed" in text, "two values that differ only in a secret"


@pytest.mark.parametrize(
    ("hint", "details", "expected"),
    [
        ("", (), None),
        ("wait", (), ["hint: ", "wait"]),
        ("", ("uv: error",), ["uv: error"]),
    ],
)
def test_a_failure_that_the_page_describes_elsewhere_has_only_its_hint_and_details(
    hint: str, details: tuple[str, ...], expected: list[str] | None
) -> None:
    failure = Failure(code="index", message="the index is down", hint=hint, details=details)
    note = failure_note("not locked", failure, described=True)
    assert (note is None) is (expected is None)
    assert all(each in str(note) for each in expected or ())
    assert "the index is down" not in str(note)
    assert "the index is down" in str(failure_note("not locked", failure))


def test_a_page_only_says_that_packages_are_unknown_if_some_are() -> None:
    unknown = "Some packages are unknown"
    assert unknown in html(report())
    assert unknown not in html(report(CASES / "nothing.yaml"))


def test_drift_and_pending_changes_have_separate_sections() -> None:
    whole = html(report())
    web = whole[whole.index('data-name="web"', whole.index('class="environment"')) :]
    drift = web[web.index('class="origin drift"') : web.index('class="origin pending"')]
    pending = web[web.index('class="origin pending"') :]
    assert "six" in drift
    assert "requests" in drift
    assert "django" not in drift
    assert "5.2.4" in pending


def test_the_counts_are_the_summary_and_filter_by_it() -> None:
    page = read(html(report()))
    summary = report().plan.summary
    kinds = [each["data-kind"] for each in page.all("tr") if "data-kind" in each]
    filters = [each["data-filter-kind"] for each in page.all("li") if "data-filter-kind" in each]
    assert sorted(set(kinds)) == sorted(filters)
    assert {each: kinds.count(each) for each in filters} == {each: getattr(summary, each) for each in filters}


def test_history_and_graphs_are_shown_if_they_are_known() -> None:
    with_both, without = html(report()), html(replace(report(), runs=(), graphs={}, result=None))
    text = " ".join(read(with_both).text)
    assert "web: update applied, generation 7 (lock-changed)" in text
    assert "anna" in text
    assert "<svg" in with_both
    assert "History" not in without
    assert "<svg" not in without
    assert "Dependency graph" not in without


def test_the_graphs_table_has_the_same_data() -> None:
    page = html(report())
    graph = page[page.index('class="graph"') :]
    nodes = re.findall(r'<g class="node (\w+)"><title>([\w-]+)</title>', graph) or re.findall(
        r'<g class="node (\w+)">', graph
    )
    assert nodes
    text = " ".join(read(page).text)
    for name, required in GRAPH.items():
        assert name in text
        assert ", ".join(each for each in required if each != name) in text


@pytest.mark.parametrize(
    ("graph", "expected"),
    [
        ({}, []),
        ({"a": ()}, [["a"]]),
        ({"a": ("b", "c"), "b": ("c",), "c": ()}, [["a"], ["b"], ["c"]]),
        ({"a": ("b",), "b": ("a",)}, [["a"], ["b"]]),
        ({"a": ("a",)}, [["a"]]),
        ({"a": ("y",), "b": ("x",)}, [["a", "b"], ["y", "x"]]),
    ],
)
def test_layers_put_what_is_required_to_the_right(graph: dict[str, tuple[str, ...]], expected: list[list[str]]) -> None:
    assert layers(graph) == expected


@given(st.dictionaries(st.sampled_from("abcdefgh"), st.lists(st.sampled_from("abcdefgh"), max_size=4).map(tuple)))
def test_every_name_is_in_one_layer_and_only_cycles_point_back(graph: dict[str, tuple[str, ...]]) -> None:
    found = layers(graph)
    place = {name: number for number, names in enumerate(found) for name in names}
    assert sum(map(len, found)) == len(place)
    assert set(place) == {*graph, *(each for required in graph.values() for each in required)}

    def reaches(start: str, end: str) -> bool:
        seen, left = {start}, [start]
        while left:
            for each in graph.get(left.pop(), ()):
                if each not in seen:
                    seen.add(each)
                    left.append(each)
        return end in seen

    for name, required in graph.items():
        for each in required:
            assert place[name] < place[each] or reaches(each, name)


def test_the_policy_has_the_hashes_of_style_and_script() -> None:
    page = html(report())
    (policy,) = (each["content"] for each in read(page).all("meta") if "http-equiv" in each)
    assert policy.startswith("default-src 'none'; ")
    for tag in ("style", "script"):
        (own,) = re.findall(rf"<{tag}[^>]*>(.*?)</{tag}>", page, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(own.encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy
    assert "unsafe" not in policy


@pytest.mark.parametrize("path", CORPUS, ids=lambda path: str(path.stem))
def test_every_case_makes_a_page(path: Path) -> None:
    plan = plan_of(path)
    page = assert_ours(html(Report(plan=plan, command="check", file="envs.yaml", places={})))
    assert len(list(page.all("section", **{"class": "environment"}))) == len(plan.changes)


def plan_of(path: Path) -> Plan:
    import yaml

    return world(yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)).plan()


@given(text=texts.filter(bool), number=st.integers(0, len(PLANS) - 1))
@settings(max_examples=40)
def test_any_string_stays_text(text: str, number: int) -> None:
    assert_inert(text, PLANS[number])


def test_each_untrusted_string_stays_text() -> None:
    markup = (
        "</script><script>alert(1)</script>",
        '" onload="alert(1)',
        "javascript:alert(1)",
        "<!--",
        "]]>",
        "</title>",
    )
    for attack in (*NASTY, *markup):
        assert_inert(attack, CASES / "everything.yaml")


def assert_inert(text: str, path: Path) -> None:
    assert elements(text, path) == elements("x", path)


@cache
def elements(text: str, path: Path) -> Counter[str]:
    """Count the elements of a page in which every string is `text`."""
    bad = replace(replace_strings(report(path), text), graphs={text: {**GRAPH, text: (text, "six")}})
    return Counter(tag for tag, _ in assert_ours(html(bad)).elements)


def test_an_unchanged_environment_is_only_a_row() -> None:
    few, more = (
        html(Report(plan=large_plan(each, changed=3), command="check", file="envs.yaml", places={}))
        for each in (50, 150)
    )
    assert (len(more) - len(few)) / 100 < 400, "bytes for each environment"


def test_the_same_report_is_the_same_bytes() -> None:
    shuffled = replace(report(), graphs={"web": dict(reversed(GRAPH.items()))})
    assert html(report()) == html(shuffled)
    draw = "from tests.render.test_html import html, report; print(html(report()), end='')"
    drawn = {
        subprocess.run(
            [sys.executable, "-c", draw],
            cwd=Path(__file__).parent.parent.parent,
            env={**base_environment(), "PYTHONHASHSEED": seed, "LC_ALL": "C"},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert drawn == {html(report())}
