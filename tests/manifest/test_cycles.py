"""Cycles in a graph: each is found once, and starts at the first of its nodes in the graph."""

from collections.abc import Mapping, Sequence

import pytest

from reconciler.manifest.cross_references import find_cycles


@pytest.mark.parametrize(
    ("graph", "cycles"),
    [
        ({}, []),
        ({"a": ["b", "elsewhere"], "b": []}, []),
        ({"a": ["b", "c"], "b": ["d"], "c": ["d"], "d": []}, []),
        ({"a": ["a"]}, [("a",)]),
        ({"a": ["b"], "b": ["c"], "c": ["a"]}, [("a", "b", "c")]),
        ({"c": ["a"], "b": ["c"], "a": ["b"]}, [("c", "a", "b")]),
        ({"x": ["b"], "a": ["b"], "b": ["a"]}, [("a", "b")]),
        ({"a": ["b"], "b": ["a"], "c": ["d", "a"], "d": ["c"]}, [("a", "b"), ("c", "d")]),
        ({"a": ["b", "c"], "b": ["a"], "c": ["a"]}, [("a", "b"), ("a", "c")]),
    ],
)
def test_each_cycle_is_found_once(graph: Mapping[str, Sequence[str]], cycles: list[tuple[str, ...]]) -> None:
    assert find_cycles(graph) == cycles
