"""The mode of the root as a setting of every environment."""

import pytest

from reconciler.diff.root_access import access_name, with_present_access
from tests.plan.build import world

APPLIED = world({"applied": {"web": {"packages": {"six": "1.16.0"}}}, "plan": {}}).applied


@pytest.mark.parametrize(("bits", "name"), [(0, "private"), (0o050, "group"), (0o055, "all"), (0o070, "0770")])
def test_the_mode_of_the_root_has_a_name(bits: int, name: str) -> None:
    assert access_name(bits) == name
    found = with_present_access(APPLIED, "group", bits)
    assert found["web"].settings == {**APPLIED["web"].settings, "access": name}
    assert with_present_access(found, "group", bits) == found
    assert with_present_access(found, None, bits) == APPLIED
