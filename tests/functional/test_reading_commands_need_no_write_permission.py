"""Reading commands work for a user who may not write to the root or the repository."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.functional.host_state import tree
from tests.host import Host, Ran, base_environment, new_host
from tests.unprivileged import reachable_directory

OTHER_USER = "65534"  # user and group id without any files


def as_other_user(host: Host, *arguments: str) -> Ran:
    """Run envsync as a user who owns nothing; skip the test if that user cannot read the checkout."""
    setpriv = shutil.which("setpriv")
    if os.geteuid() != 0 or setpriv is None:
        pytest.skip("needs root and setpriv, to become another user")
    command = [setpriv, f"--reuid={OTHER_USER}", f"--regid={OTHER_USER}", "--clear-groups", "--", sys.executable, "-m"]
    env = base_environment() | {"HOME": "/nonexistent", "XDG_STATE_HOME": "/nonexistent"}
    probe = subprocess.run([*command, "reconciler", "--version"], env=env, capture_output=True, check=False, cwd="/")
    if probe.returncode != 0:
        pytest.skip("another user cannot read this checkout or its interpreter")
    done = subprocess.run(
        [*command, "reconciler", *arguments], cwd=host.directory, env=env, capture_output=True, text=True, check=False
    )
    assert "\nTraceback" not in "\n" + done.stderr, done.stderr
    return Ran(code=done.returncode, out=done.stdout, err=done.stderr)


def test_reading_commands_and_run_work_and_apply_says_what_could_not_be_written() -> None:
    with reachable_directory() as directory, new_host(directory) as host:
        interpreter = readable_interpreter(host)
        web = f'web:\n  python: "{interpreter}"\n  packages: [alpha==1.0]\n'
        host.manifest(web)
        host.apply()
        before = tree(host.directory)
        for command in (["plan", "--detailed-exitcode"], ["check", "--depth", "hashes"], ["status"], ["observe"]):
            ran = as_other_user(host, *command)
            assert ran.code == 0, (command, ran.out, ran.err)
        assert as_other_user(host, "freeze", "web").out.splitlines() == ["alpha==1.0", "beta==2.0"]
        ran = as_other_user(host, "run", "web", "--", "python", "-c", "import alpha; print(alpha.NAME)")
        assert (ran.code, ran.out) == (0, "alpha 1.0\n"), ran.err
        ran = as_other_user(host, "apply", "--yes")
        assert ran.code == 1
        assert f"`{host.root}` belongs to root" in ran.err
        assert tree(host.directory) == before

        host.manifest(web.replace("1.0", "1.1"))
        ran = as_other_user(host, "plan", "--output", "json")
        assert ran.code == 0, ran.err
        assert [each["name"] for each in ran.json()["environments"][0]["packages"]] == ["alpha"]
        (host.site_packages("web") / "beta.py").chmod(0)
        ran = as_other_user(host, "check")
        assert ran.code in {1, 2}, "an unreadable file must not count as unchanged"
        ran = as_other_user(host, "lock")
        assert ran.code != 0
        assert "Permission denied" in ran.err


def readable_interpreter(host: Host) -> Path:
    """Return an interpreter that a different user may run: the system's, or this one if there is none."""
    for candidate in ("/usr/bin/python3.11", "/usr/bin/python3.12", "/usr/bin/python3.13", "/usr/bin/python3"):
        if Path(candidate).exists():
            return Path(candidate)
    return Path(os.path.realpath(sys.executable))
