"""The yanked versions that uv warns about."""

import pytest

from reconciler.engines.uv_warnings import yanked_versions


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
