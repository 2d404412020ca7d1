"""A command about what was applied makes no root: a link that a commit contains would let it write anywhere."""

import pytest

from tests.host import Host

COMMANDS = {
    "plan": 0,
    "check": 2,
    "status": 0,
    "history": 0,
    "verify": 0,
    "gc": 0,
    "gc --cache": 0,
    "gc --deleted": 0,
    "observe": 0,
    "publish --all --yes": 0,
    "freeze web": 3,
    "diff web 1 2": 3,
    "rollback web --offline": 3,
    "hold web INC-1": 3,
    "release web": 3,
    "publish web --yes": 3,
    "destroy web --yes": 3,
    "trust --yes": 3,
    "run web -- true": 125,
}


@pytest.mark.parametrize("linked", [False, True], ids=["no root", "a link to a directory"])
@pytest.mark.parametrize("command", COMMANDS)
def test_nothing_is_written(host: Host, command: str, *, linked: bool) -> None:
    host.manifest('web:\n  python: "3.11"\n')
    elsewhere = host.directory.parent / "elsewhere"
    if linked:
        elsewhere.mkdir()
        host.root.symlink_to(elsewhere)
    ran = host.envsync(*command.split())
    assert ran.code == COMMANDS[command], ran.out + ran.err
    assert not list(elsewhere.iterdir()) if linked else not host.root.exists()
