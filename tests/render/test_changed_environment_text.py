"""What `rollback`, `hold` and `release` print: text and JSON say the same."""

import json
from dataclasses import replace

import pytest

from reconciler.apply.changed_environment import ChangedEnvironment, ChangeKind
from reconciler.render.changed_environment_text import changed_json, render_changed
from reconciler.state.hold import Hold
from tests.plan.build import world

HOLD = Hold(reason="INC-42", by="alice", since="2026-11-30T09:12:00+00:00")
SHOWN = "INC-42 (alice, since 2026-11-30 09:12+00:00)"
ROLLBACK = ChangedEnvironment(name="web", action=ChangeKind.ROLLBACK, generation=1, replaced=2)
RESTORE = ChangedEnvironment(name="web", action=ChangeKind.RESTORE, generation=3)
ADOPTED = ChangedEnvironment(name="web", action=ChangeKind.RESTORE_ADOPTED, generation=0)
HELD = ChangedEnvironment(name="web", action=ChangeKind.HOLD, generation=2, hold=HOLD)
RELEASED = ChangedEnvironment(name="web", action=ChangeKind.RELEASE, generation=2, released=HOLD)


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        (ROLLBACK, ["web: generation 1 is published again, generation 2 is kept"]),
        (
            replace(ROLLBACK, generation=4, rebuilt_from=1),
            ["web: generation 4, rebuilt from generation 1, is published again, generation 2 is kept"],
        ),
        (
            replace(ROLLBACK, hold=HOLD),
            [
                "web: generation 1 is published again, generation 2 is kept",
                f"web: generation 1 is held: {SHOWN}",
            ],
        ),
        (RESTORE, ["web: restored, generation 3 is published again"]),
        (
            replace(RESTORE, rebuilt_from=2),
            ["web: restored, generation 3, rebuilt from generation 2, is published again"],
        ),
        (ADOPTED, ["web: restored the environment that `--adopt` replaced"]),
        (
            replace(ADOPTED, hold=HOLD),
            ["web: restored the environment that `--adopt` replaced", f"web: held: {SHOWN}"],
        ),
        (HELD, [f"web: generation 2 is held: {SHOWN}"]),
        (replace(HELD, generation=0), [f"web: held: {SHOWN}"]),
        (RELEASED, [f"web: released; the hold was: {SHOWN}"]),
    ],
)
def test_text(changed: ChangedEnvironment, expected: list[str]) -> None:
    assert render_changed(changed).splitlines() == expected


def test_json_has_the_change_and_what_the_next_apply_does() -> None:
    plan = world({"manifest": {"web": {"packages": {"six": "1.1"}}}, "applied": {"web": {"packages": {"six": "1.0"}}}})
    text = changed_json(RELEASED, notes=["seen"], following=plan.plan().environments[0])
    assert text.startswith('{\n  "name": "web",\n'), "one line for each key"
    found = json.loads(text)
    assert found == {
        "name": "web",
        "action": "release",
        "generation": 2,
        "replaced": 0,
        "rebuilt_from": 0,
        "hold": None,
        "released": {"reason": "INC-42", "by": "alice", "since": "2026-11-30T09:12:00+00:00"},
        "notes": ["seen"],
        "next": {"action": "update", "reasons": ["lock-changed"], "blocked": []},
    }
    assert json.loads(changed_json(HELD, following=None))["next"] is None
