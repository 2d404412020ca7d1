"""A command about one environment works while the state of another environment cannot be read."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.functional.host_state import published
from tests.host import Host
from tests.state.edited import edit_state_file

MANIFEST = 'web:\n  python: "3.11"\n  packages: [%s]\nbad:\n  python: "3.11"\n'
# In this order: each finds what the one before left.
COMMANDS = (
    ("freeze", "web"),
    ("history", "web"),
    ("verify", "web"),
    ("diff", "web", "1", "2"),
    ("run", "web", "--", "python", "-c", "import beta"),
    ("rollback", "web"),
    ("hold", "web", "INC-1"),
    ("release", "web"),
    ("apply", "web", "--stage", "--yes"),
    ("publish", "web", "--yes"),
    ("destroy", "web", "--yes"),
    ("rollback", "web"),
    ("destroy", "web", "--yes"),
)


def of_a_newer_envsync(record: Path) -> None:
    edit_state_file(record, {"format": 99})


@pytest.mark.parametrize(
    ("file", "damage"),
    [
        ("environments/bad.json", lambda file: file.write_text("{", encoding="utf-8")),
        ("environments/bad.json", of_a_newer_envsync),
        ("generations/bad/1/seal.json", lambda file: file.write_bytes(b"\0" * 100)),
    ],
    ids=["a damaged record", "a record in a newer format", "a damaged seal"],
)
def test_every_command_about_the_other_one_works(host: Host, file: str, damage: Callable[[Path], object]) -> None:
    for package in ("beta", "alpha"):
        host.manifest(MANIFEST % package)
        host.apply()
    damage(host.root / ".envsync" / file)
    for command in COMMANDS:
        ran = host.envsync(*command)
        assert ran.code == 0, (command, ran.out, ran.err)
    assert published(host, "web") == 0
    assert published(host, "bad") == 1
