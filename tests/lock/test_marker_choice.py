"""What is left of a marker when the extras and groups are chosen: it is true for the same interpreters."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.markers import Marker

from reconciler.lock.marker_choice import any_of, chosen_marker

ATOMS = ["sys_platform == 'win32'", "python_version < '3.12'", "'nt' == os_name", "platform_machine in 'x86_64 arm64'"]
CHOICES = [
    "'web' in extras",
    "'Dev_Tools' in dependency_groups",
    "'web' not in extras",
    "'docs' not in dependency_groups",
]
INTERPRETERS: list[dict[str, Any]] = [
    {"sys_platform": platform, "python_version": version, "os_name": name, "platform_machine": machine}
    for platform in ("win32", "linux")
    for version in ("3.11", "3.13")
    for name, machine in (("nt", "x86_64"), ("posix", "riscv"))
]
MARKERS = st.recursive(
    st.sampled_from([*ATOMS, *CHOICES]),
    lambda inner: st.tuples(inner, st.sampled_from(["and", "or"]), inner).map(lambda each: f"({' '.join(each)})"),
    max_leaves=6,
)


@given(marker=MARKERS, extras=st.sets(st.just("web")), groups=st.sets(st.sampled_from(["dev-tools", "docs"])))
def test_what_is_left_is_true_where_the_whole_is(marker: str, extras: set[str], groups: set[str]) -> None:
    left = chosen_marker(marker, extras=extras, groups=groups)
    assert "extras" not in str(left)
    assert "dependency_groups" not in str(left)
    for each in INTERPRETERS:
        environment = {**each, "extras": frozenset(extras), "dependency_groups": frozenset(groups)}
        whole = Marker(marker).evaluate(environment, context="lock_file")
        found = left if isinstance(left, bool) else Marker(left).evaluate(each)
        assert found is whole, (marker, left)


@pytest.mark.parametrize(
    ("marker", "extras", "left"),
    [
        ('extra == "web"', {"web"}, True),
        ('extra == "Web_UI"', {"web-ui"}, True),
        ('extra == "web"', set(), False),
        ('python_version < "3.13" and extra == "web"', {"web"}, 'python_version < "3.13"'),
        ('extra != "web" or os_name == "nt"', {"web"}, 'os_name == "nt"'),
    ],
)
def test_poetry_and_pdm_write_one_extra(marker: str, extras: set[str], left: str | bool) -> None:
    assert chosen_marker(marker, extras=extras, groups=()) == left


@pytest.mark.parametrize(
    ("marker", "left"),
    [
        ('os_name == "nt" and python_version < "3.13"', 'os_name == "nt" and python_version < "3.13"'),
        (
            '(os_name == "nt" or extra == "web" and python_version < "3.13") and "x" == sys_platform',
            '((os_name == "nt") or (python_version < "3.13")) and "x" == sys_platform',
        ),
        ('extra == "web" and extra != "docs"', True),
        ('os_name == "nt" and os_name == "nt"', 'os_name == "nt"'),
    ],
)
def test_what_is_left_keeps_its_order_and_its_groups(marker: str, left: str | bool) -> None:
    assert chosen_marker(marker, extras={"web"}, groups=()) == left


def test_an_extra_may_have_the_name_of_a_variable() -> None:
    assert chosen_marker('"extra" in extras', extras={"extra"}, groups=()) is True
    assert chosen_marker('"extras" in dependency_groups', extras=(), groups={"extras"}) is True


def test_one_of_several_markers() -> None:
    assert any_of([]) is False
    assert any_of([False, "os_name == 'nt'", False]) == "os_name == 'nt'"
    assert any_of(["os_name == 'nt'", True]) is True
    assert any_of(["a", "b", "a"]) == "(a) or (b)"


# Not `extra == os_name`: packaging 26.1 reads the variable as a text.
@pytest.mark.parametrize("marker", ["os_name in extras", '"extra" == "os-name"'])
def test_a_comparison_of_two_variables_or_two_texts_chooses_nothing(marker: str) -> None:
    assert chosen_marker(marker, extras={"os-name"}, groups=()) == marker
