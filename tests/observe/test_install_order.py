"""The order of packages is the one in which pip installs them."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.observe.install_order import install_order

pip = pytest.importorskip("pip._internal.resolution.resolvelib.resolver", reason="it compares with pip")
MARKERS = {"python_version": "3.12", "sys_platform": "linux"}
NAMES = ("aa", "bb", "cc", "dd", "ee", "ff")


@given(st.sets(st.tuples(st.sampled_from(range(6)), st.sampled_from(range(6)))), st.permutations(NAMES))
def test_it_is_pip_s_order_for_packages_that_do_not_require_each_other(
    pairs: set[tuple[int, int]], names: list[str]
) -> None:
    edges = [(names[one], names[other]) for one, other in pairs if one < other]
    graph: Any = pip.DirectedGraph()
    for node in (None, *names):
        graph.add(node)
    for name in names:
        graph.connect(None, name)
    for one, other in edges:
        graph.connect(one, other)
    weights = pip.get_topological_weights(graph, set(names))
    theirs = sorted(names, key=lambda name: (weights[name], name), reverse=True)
    requirements = {name: [other for one, other in edges if one == name] for name in names}
    assert install_order(requirements, MARKERS) == theirs


def test_what_a_package_requires_comes_first_also_by_an_extra_and_a_marker() -> None:
    requirements = {
        "aa": ['dd ; sys_platform == "win32"', "not a requirement !", "absent"],
        "bb": ["CC_cc[more]>=1"],
        "cc-cc": ['dd ; extra == "more"'],
        "dd": ['zz ; python_version >= "3.12"'],
        "zz": [],
    }
    # Without the marker and the extra, `aa` and `bb` would be at other places.
    assert install_order(requirements, MARKERS) == ["zz", "cc-cc", "aa", "dd", "bb"]


def test_packages_that_require_each_other_are_in_one_round() -> None:
    requirements = {"aa": ["bb"], "bb": ["cc"], "cc": ["aa", "zz"], "dd": ["aa"], "zz": []}
    assert install_order(requirements, MARKERS) == ["zz", "cc", "bb", "aa", "dd"]
