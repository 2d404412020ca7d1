"""On a system that lacks something, every command works or says what is missing (all: `python -m tests.limited`)."""

from pathlib import Path

import pytest

from tests.every_case import EVERY_CASE
from tests.host import new_host
from tests.limited.commands import A_FEW_COMMANDS, EVERY_COMMAND, run_commands
from tests.limited.missing import MISSING, Missing

# Whatever else is missing, envsync works.
REFUSED = {"file locks": 1, "symbolic links": 1, "modes": 1}
SHORT = {"file locks: ENOLCK", "flush of a file system: ENOSYS", "/proc"}
CASES = [each for each in MISSING if EVERY_CASE or str(each) in SHORT]


@pytest.mark.parametrize("missing", CASES, ids=str)
def test_every_command_works_or_says_what_is_missing(missing: Missing, tmp_path: Path) -> None:
    if reason := missing.lacks():
        pytest.skip(reason)
    with new_host(tmp_path / "host") as host:
        said = run_commands(host, missing, tmp_path, EVERY_COMMAND if EVERY_CASE else A_FEW_COMMANDS)
    assert [(each.command, list(each.wrong())) for each in said if list(each.wrong())] == []
    applied = [each.code for each in said if each.arguments[0] == "apply"]
    assert applied == [REFUSED.get(missing.fact, 0)] * len(applied)


def test_the_short_form_names_cases() -> None:
    assert {str(each) for each in MISSING} >= SHORT
