"""An adoption that is killed at any of its calls loses nothing: the user's own environment comes back or is kept."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.tracer import CAN_TRACE, Fault, trace
from tests.host import Host, base_environment, new_host

pytestmark = [
    pytest.mark.skipif(not CAN_TRACE, reason="the tracer supports only Linux on x86-64"),
    # The index is a thread, which a forked child does not have; the child calls exec immediately.
    pytest.mark.filterwarnings("ignore:.*use of fork.*:DeprecationWarning"),
]
WITHOUT_EXCHANGE = "renameat2"  # as on a file system that cannot exchange two paths
COMES_BACK, IS_KEPT = True, False
# The call at which apply is killed, on what system, and what the next command does.
KILLS = {
    "before-exchange": ("renameat2 before-exchange", "", COMES_BACK),
    "after-exchange": ("rename moving", "", IS_KEPT),
    "before-two-renames": ("unlink moving", WITHOUT_EXCHANGE, COMES_BACK),
    "before-first-rename": ("rename before-first-rename", WITHOUT_EXCHANGE, COMES_BACK),
    "between-two-renames": ("symlink between-two-renames", WITHOUT_EXCHANGE, COMES_BACK),
    "after-two-renames": ("rename moving", WITHOUT_EXCHANGE, IS_KEPT),
}


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    """Yield a host that declares an environment for each kill, with a venv of the user at its path."""
    with new_host(tmp_path_factory.mktemp("adoption")) as made:
        made.manifest("".join(f'{name}:\n  python: "3.11"\n  packages: [gamma]\n' for name in KILLS))
        assert made.envsync("lock").code == 0
        for name in KILLS:
            subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(made.venv(name))], check=True)
            (made.venv(name) / "marker").write_text(name)
        yield made


@pytest.mark.parametrize("name", KILLS)
def test_the_user_s_environment_comes_back_or_is_kept(name: str, host: Host, tmp_path: Path) -> None:
    call, absent, comes_back = KILLS[name]
    argv = [sys.executable, "-m", "reconciler", "apply", "--yes", "--adopt", name]
    fault = Fault(whose="own", at=1, only=call, absent=absent)
    killed = trace(argv, cwd=host.directory, env=base_environment(), output_directory=tmp_path, fault=fault)
    assert killed.code == -9, killed.err

    assert host.envsync("gc").code == 0  # any command that writes recovers first

    assert host.venv(name).is_symlink() is not comes_back
    if comes_back:
        assert (host.venv(name) / "marker").read_text() == name
        assert not kept(host, name)
    else:
        assert [each.read_text() for each in kept(host, name)] == [name]
    links = [each.name for each in (host.root / ".envsync/adopted").glob("*/*/*") if each.is_symlink()]
    assert set(links) <= {"made"}, "the identity mark is a link"
    host.apply("--adopt", name)
    assert host.freeze(name) == ["gamma==0.1"]
    assert [each.read_text() for each in kept(host, name)] == [name]


def kept(host: Host, name: str) -> list[Path]:
    """Return the markers of the user's environments that envsync keeps in its own directory."""
    return [each for each in (host.root / ".envsync").rglob("venv/marker") if each.read_text() == name]
