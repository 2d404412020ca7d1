"""What is known about an environment that cannot be planned: its drift, and whether it is new."""

from typing import Any

import pytest

from reconciler.diff.model import DiffKind, EnvironmentDiff, Origin
from tests.plan.build import world

SIX: dict[str, Any] = {"packages": {"six": "1.0"}}
NO_PYTHON = {"code": "no-interpreter", "message": "no python 3.99"}
UNREADABLE = {"code": "state-unreadable", "message": "the record is damaged"}


def diff(case: dict[str, Any], *faults: dict[str, str]) -> EnvironmentDiff:
    manifest = {"web": {**SIX, "ignore": ["extra"], **case.get("manifest", {}), "faults": list(faults)}}
    [web] = world({**case, "manifest": manifest}).diff().environments
    return web


@pytest.mark.parametrize(
    ("faults", "kind", "codes"),
    [
        ((), DiffKind.CREATE, ["new"]),
        ((NO_PYTHON,), DiffKind.CREATE, ["new"]),
        ((UNREADABLE,), DiffKind.UNCHANGED, []),
        ((UNREADABLE, NO_PYTHON), DiffKind.UNCHANGED, []),
    ],
)
def test_it_is_new_unless_its_state_cannot_be_read(faults: Any, kind: DiffKind, codes: list[str]) -> None:
    web = diff({}, *faults)
    assert (web.kind, [each.code.value for each in web.reasons]) == (kind, codes)
    assert bool(web.packages) is not bool(faults)


@pytest.mark.parametrize(
    ("manifest", "actual", "before", "after"),
    [
        ({}, {}, DiffKind.UNCHANGED, DiffKind.UNCHANGED),
        ({"env": {"A": "1"}}, {}, DiffKind.RECORD, DiffKind.UNCHANGED),
        ({"python": "3.13.0"}, {}, DiffKind.REPLACE, DiffKind.UNCHANGED),
        ({"packages": {"six": "2.0"}}, {}, DiffKind.UPDATE, DiffKind.UNCHANGED),
        ({"python": "3.13.0"}, {"packages": {"six": "3.0"}}, DiffKind.REPLACE, DiffKind.UPDATE),
        ({"env": {"A": "1"}}, {"packages": {"six": "3.0"}}, DiffKind.UPDATE, DiffKind.UPDATE),
        ({}, {"packages": {"six": "1.0", "extra": "1"}}, DiffKind.UNCHANGED, DiffKind.UNCHANGED),
        ({}, {"packages": {"six": "3.0", "extra": "1"}}, DiffKind.UPDATE, DiffKind.UPDATE),
        ({}, {"occupant": "venv"}, DiffKind.FOREIGN, DiffKind.FOREIGN),
        ({}, {"occupant": "absent"}, DiffKind.CREATE, DiffKind.CREATE),
    ],
)
def test_of_an_applied_environment_only_the_drift_is_kept(
    manifest: dict[str, Any], actual: dict[str, Any], before: DiffKind, after: DiffKind
) -> None:
    case = {"manifest": manifest, "applied": {"web": {**SIX, "ignore": ["extra"]}}, "actual": {"web": actual}}
    whole, certain = diff(case), diff(case, NO_PYTHON)
    assert (whole.kind, certain.kind) == (before, after)
    assert certain.reasons == tuple(each for each in whole.reasons if each.origin is not Origin.PENDING)
    assert certain.packages == tuple(each for each in whole.packages if each.origin is not Origin.PENDING)
    assert (certain.settings, certain.ignored) == ((), ())
    assert bool(whole.settings) is ("env" in manifest)
    assert bool(whole.ignored) is (actual.get("packages") == {"six": "3.0", "extra": "1"})


def test_a_foreign_environment_stays_one_without_any_reason() -> None:
    web = diff({"actual": {"web": {"occupant": "venv"}}}, UNREADABLE)
    assert (web.kind, web.reasons) == (DiffKind.FOREIGN, ())
