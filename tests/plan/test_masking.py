"""What a plan shows of values that are not public: that they changed, and a digest to compare them by."""

import re
from typing import Any

import pytest

from reconciler.canonical_json import canonical_text
from reconciler.diff.masking import NO_KEY, Disclosure, Mask, masked_settings
from reconciler.diff.settings import desired_digest, setting_changes
from reconciler.render.setting_text import setting_sentence
from tests.plan.build import world

KEY, OTHER_KEY = Mask(b"k" * 32), Mask(b"o" * 32)
BEFORE: dict[str, Any] = {
    "env": {"TOKEN": "one", "SAME": "x", "TZ": "CET"},
    "build_env": {"FLAGS": "one"},
    "hooks": {"after_publish": [["notify", "one"]], "before_delete": []},
    "probes": [{"run": ["probe", "one"], "timeout": 1.0}],
    "health": {"run": ["curl", "one"], "for": 1.0, "timeout": 1.0, "otherwise": "keep"},
    "public": {"env": ["TZ"]},
}
AFTER: dict[str, Any] = {
    **BEFORE,
    "env": {"TOKEN": "two", "SAME": "x", "TZ": "UTC"},
    "build_env": {"FLAGS": "two"},
    "hooks": {"after_publish": [["notify", "two"]], "before_delete": []},
    "probes": [{"run": ["probe", "two", "more"], "timeout": 1.0}],
    "health": {**BEFORE["health"], "run": ["curl", "two"]},
}


def sentences(mask: Mask) -> list[str]:
    return [setting_sentence(each) for each in setting_changes(BEFORE, AFTER, mask)]


def test_without_a_key_a_change_is_only_said_to_exist() -> None:
    assert sentences(Mask()) == [
        "build_env.FLAGS: changed",
        "env.TOKEN: changed",
        'env.TZ: "CET" -> "UTC"',
        'health.run: ["curl", "****"] (the redacted part changed)',
        'hooks.after_publish[0]: ["notify", "****"] (the redacted part changed)',
        'probes[0].run: ["probe", "****"] (the redacted part changed)',
    ]


def test_with_a_key_a_change_has_a_digest_of_each_value() -> None:
    found = "\n".join(sentences(KEY))
    assert re.search(r"^env\.TOKEN: changed \([0-9a-f]{12} -> [0-9a-f]{12}\)$", found, re.MULTILINE)
    hook = r'^hooks\.after_publish\[0\]: \["notify", "\*{4} [0-9a-f]{12}"\] -> \["notify", "\*{4} [0-9a-f]{12}"\]$'
    assert re.search(hook, found, re.MULTILINE)
    assert "one" not in found
    assert "two" not in found
    assert sentences(KEY) == sentences(Mask(b"k" * 32)), "the same on every host that has the key"
    assert sentences(KEY) != sentences(OTHER_KEY)


def test_equal_values_have_equal_digests_only_for_the_same_variable_or_program() -> None:
    assert KEY(("env", "A"), "x") == KEY(("env", "A"), "x")
    assert KEY(("env", "A"), "x") != KEY(("env", "B"), "x")
    assert KEY(("env", "A"), "x") != KEY(("build_env", "A"), "x")
    assert KEY(("env", "A"), "x") != KEY(("env", "A"), "y")


@pytest.mark.parametrize("change", ["add", "remove"])
def test_a_value_that_is_added_or_removed_is_masked(change: str) -> None:
    empty: dict[str, Any] = {"env": {}, "hooks": {"after_publish": []}, "probes": []}
    sides = (empty, BEFORE) if change == "add" else (BEFORE, empty)
    text = canonical_text([[each.before, each.after] for each in setting_changes(*sides, mask=NO_KEY)])
    assert "one" not in text
    assert "CET" in text, "it is public"


def test_a_value_that_was_public_is_shown_and_the_one_that_is_not_is_not() -> None:
    now: dict[str, Any] = {"env": {"TZ": "secret"}}
    found = {
        each.path: each for each in setting_changes({"env": {"TZ": "CET"}, "public": {"env": ["TZ"]}}, now, mask=NO_KEY)
    }
    assert (found["env", "TZ"].before, found["env", "TZ"].after) == ("CET", "****")


def test_the_digest_of_what_is_desired_has_masked_values() -> None:
    case: dict[str, Any] = {"manifest": {"web": {"env": {"A": "1"}}}, "plan": {}}
    [one], [two] = (
        world({**case, "manifest": {"web": {"env": {"A": value}}}}).targets.values() for value in ("1", "2")
    )
    assert desired_digest(one) == desired_digest(two), "so a value cannot be guessed from the digest"


def test_settings_that_a_newer_or_older_envsync_recorded_are_masked_too() -> None:
    cases: tuple[dict[str, Any], ...] = (
        {"env": {"A": ["one"]}},
        {"hooks": {"later": [["x", "one"], "one"]}},
        {"health": {"run": "one"}},
    )
    for strange in cases:
        assert "one" not in canonical_text(masked_settings(strange, mask=NO_KEY))
    assert masked_settings({"env": None, "hooks": [], "probes": "x", "public": 1}, mask=NO_KEY) == {
        "env": None,
        "hooks": [],
        "probes": "x",
        "public": 1,
    }


def test_a_message_shows_the_program_and_a_public_command_as_it_is() -> None:
    found = Disclosure.of({**BEFORE, "public": {"commands": [["curl", "one"]]}})
    assert found.shown(["notify", "one two"]) == "notify ****"
    assert found.shown(["curl", "one"]) == "curl one"
    assert found.shown(["true"]) == "true"
    assert found.secrets == ("one", "x", "CET")
