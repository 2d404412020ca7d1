"""No test reads or writes the key of the user who runs the tests (`tests/own_state.py`)."""

import os
import pwd
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest

from reconciler.fs.user_key import key_path, make_user_key, state_directory
from tests.host import base_environment, new_host
from tests.own_state import signature, use_own_state

REAL_HOMES = {os.path.expanduser("~"), pwd.getpwuid(os.geteuid()).pw_dir}  # noqa: PTH111


def test_this_process_and_its_children_have_a_state_directory_of_their_own() -> None:
    code = "from reconciler.fs.user_key import state_directory; print(state_directory())"
    shown = subprocess.run(
        [sys.executable, "-c", code], env=base_environment(), capture_output=True, text=True, check=True
    )
    assert shown.stdout.strip() == state_directory()
    assert not any(Path(state_directory()).is_relative_to(f"{home}/.local/state") for home in REAL_HOMES)
    assert use_own_state() is None, "it is set once in a run"


@pytest.mark.parametrize("forked", [True, False], ids=["preloaded", "new interpreter"])
def test_a_command_uses_no_key_below_the_home_directory(forked: bool, tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    with new_host(tmp_path / "host") as host:
        host.env = {"HOME": str(home), "PYENV_ROOT": os.environ.get("PYENV_ROOT") or str(Path.home() / ".pyenv")}
        host.env |= {} if forked else {"PYTHONHASHSEED": "1"}
        host.manifest('web:\n  python: "3.12"\n  packages: [gamma]\n')
        host.apply()
    assert not (home / ".local").exists()
    assert Path(key_path()).exists()


def test_the_guard_sees_every_change(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    directory = Path(state_directory())
    seen = [signature(directory)]
    make_user_key()
    seen.append(signature(directory))
    (directory / "trusted-roots.json").write_text("{}")
    seen.append(signature(directory))
    (directory / "trusted-roots.json").write_text("[]")
    seen.append(signature(directory))
    (directory / "key").unlink()
    seen.append(signature(directory))
    assert seen[0] == {}
    assert all(one != two for one, two in pairwise(seen))
    assert signature(directory) == seen[-1]


def test_a_run_that_writes_to_the_real_directory_fails(tmp_path: Path) -> None:
    """The test run below has a home directory of its own, in which its only test writes."""
    home, inner = tmp_path / "home", tmp_path / "test_inner.py"
    home.mkdir()
    (tmp_path / "conftest.py").write_text("from tests.conftest import pytest_sessionfinish\n")
    inner.write_text(
        "import os\nfrom reconciler.fs.user_key import make_user_key\n"
        "def test_one():\n    assert 'envsync-tests-state-' in os.environ['XDG_STATE_HOME']\n"
        "def test_two(monkeypatch):\n    monkeypatch.delenv('XDG_STATE_HOME')\n    make_user_key()\n"
    )
    env = base_environment() | {"HOME": str(home)}
    del env["XDG_STATE_HOME"]
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", str(tmp_path), str(inner)]
    good = subprocess.run([*command, "-k", "one"], env=env, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert good.returncode == 0, good.stdout
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.returncode == 1, done.stdout
    assert f"changed `{home}/.local/state/envsync`" in done.stdout + done.stderr
