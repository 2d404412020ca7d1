"""An environment that is no longer declared: why it is deleted, and its drift, which counts if it is kept."""

from typing import Any

import pytest

from tests.plan.build import world

DELETED = "pending, not-in-manifest: no longer in `envs.yaml`"
SIX = {"six": "1.0"}
EDITED = {"code": "file-changed", "path": "lib/six.py", "package": "six"}
FOREIGN = {"code": "foreign-venv", "detail": "a virtual environment that envsync did not create"}
MOVED = "drift, environment-damaged: its scripts name a different path"
GONE = "drift, gone: was applied, but is missing"
REPLACED = "drift, gone: was applied, but something else is at its path"
CHANGED = "drift, packages-drifted: 1 package changed manually"
ADOPTED = {"generation": 2, "rolled_back_from": 2}


@pytest.mark.parametrize(
    ("applied", "actual", "reasons", "packages", "findings"),
    [
        ({}, {}, [], [], 0),
        ({}, {"packages": {"six": "2.0"}}, [CHANGED], ["downgrade"], 0),
        ({}, {"findings": [EDITED]}, ["drift, files-drifted: 1 file edited"], ["repair"], 1),
        ({}, {"packages": {"six": "2.0"}, "findings": [EDITED]}, [CHANGED], ["downgrade"], 1),
        ({}, {"findings": [{"code": "moved"}]}, [MOVED], [], 1),
        ({}, {"occupant": "absent"}, [GONE], [], 0),
        ({}, {"occupant": "dangling"}, [GONE], [], 0),
        ({}, {"occupant": "venv", "findings": [FOREIGN, FOREIGN]}, [REPLACED], [], 1),
        # It was never published.
        ({"generation": 0}, {"occupant": "absent"}, [], [], 0),
        # A rollback put back what `--adopt` had replaced.
        (ADOPTED, {"occupant": "venv"}, [], [], 0),
        (ADOPTED, {"occupant": "absent"}, [GONE], [], 0),
        ({"generation": 2, "rolled_back_from": 1}, {"occupant": "venv"}, [REPLACED], [], 0),
    ],
)
def test_a_deletion_has_the_drift_of_the_environment(
    applied: dict[str, Any], actual: dict[str, Any], reasons: list[str], packages: list[str], findings: int
) -> None:
    [web] = world({"applied": {"web": {"packages": SIX, **applied}}, "actual": {"web": actual}}).diff().environments
    assert web.kind == "delete"
    assert [f"{each.origin}, {each.code}: {each.message}" for each in web.reasons] == [DELETED, *reasons]
    assert [each.action.value for each in web.packages] == packages
    assert len(web.findings) == findings


@pytest.mark.parametrize(
    ("occupant", "kind", "reason"),
    [
        ("venv", "foreign", "rolled back from generation 2 to the environment that `--adopt` replaced"),
        ("directory", "foreign", "rolled back from generation 2 to the environment that `--adopt` replaced"),
        ("absent", "create", "was applied, but is missing"),
        ("dangling", "create", "was applied, but is missing"),
        ("published", "update", "rolled back from generation 2 to 2"),
    ],
)
def test_what_adopt_replaced_and_a_rollback_put_back_is_at_the_path_on_purpose(
    occupant: str, kind: str, reason: str
) -> None:
    case = {
        "manifest": {"web": {"packages": {"six": "2.0"}}},
        "applied": {"web": {"packages": SIX, **ADOPTED}},
        "actual": {"web": {"occupant": occupant, "packages": SIX}},
    }
    [found] = world(case).diff().environments
    assert (found.kind.value, found.reasons[0].message) == (kind, reason)
