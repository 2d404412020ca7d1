"""The yanked versions that uv warns about."""

import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.engines.uv_warnings import yanked_table, yanked_versions


@pytest.mark.parametrize(
    ("stderr", "found"),
    [
        ("Resolved 3 packages in 5ms\n", {}),
        ("warning: `six==1.0` is yanked\n", {"six==1.0": ""}),
        ("warning: `six==1.0+cpu` is yanked (reason: \"bad: ('x')\")\n", {"six==1.0+cpu": "bad: ('x')"}),
        ('warning: `six==1.0` is yanked (reason: "one\n         two")\n', {"six==1.0": "one"}),
        ('warning: `a==1` is yanked (reason: "x")\n         warning: `b==1` is yanked\n', {"a==1": "x"}),
        (f'warning: `six==1.0` is yanked (reason: "{"x" * 500}")\n', {"six==1.0": "x" * 200}),
        ("warning: `six==1.0` is yanked by someone\n", {}),
        ("warning: `six` is yanked\n", {}),
    ],
)
def test_a_warning_gives_the_version_and_the_first_line_of_the_reason(stderr: str, found: dict[str, str]) -> None:
    assert yanked_versions(stderr.encode()) == found


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]) | st.sampled_from("\U0001f600\x7f"))))
def test_every_reason_can_be_read_from_the_table(reasons: list[str]) -> None:
    yanked = {f"six=={number}": reason for number, reason in enumerate(reasons)}
    found = tomllib.loads(yanked_table(yanked))
    assert found == ({"tool": {"envsync": {"yanked": yanked}}} if yanked else {})
