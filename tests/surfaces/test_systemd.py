"""The command of the nightly unit needs no system call and no file that the unit forbids, with and without drift."""

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.host import Host, base_environment
from tests.repository import edit_manually

UNIT = Path(__file__).parent.parent.parent / "docs/systemd/envsync-check.service"
missing = [each for each in ("systemd-analyze", "strace") if shutil.which(each) is None]


def setting(name: str) -> list[str]:
    return re.findall(rf"^{name}=(.*)$", UNIT.read_text(encoding="utf-8"), re.MULTILINE)


def calls_of(group: str) -> set[str]:
    """Return the system calls of one of systemd's groups, including those of nested groups."""
    shown = subprocess.run(["systemd-analyze", "syscall-filter", group], capture_output=True, text=True, check=True)
    lines = [line.strip() for line in shown.stdout.splitlines()[1:]]
    members = {line for line in lines if line and not line.startswith("#")}
    return {call for each in members for call in (calls_of(each) if each.startswith("@") else {each})}


@pytest.mark.skipif(bool(missing), reason=f"needs {' and '.join(missing)} (Debian: packages systemd, strace)")
def test_the_unit_allows_every_system_call_of_the_check(host: Host, tmp_path: Path) -> None:
    host.apply()
    filters = [each for line in setting("SystemCallFilter") for each in line.split()]
    allowed, forbidden = calls_of(filters[0]), {call for each in filters[1:] for call in calls_of(each.lstrip("~"))}
    [command] = setting("ExecStart")
    program = [sys.executable, *shlex.split(command)[1:]]
    for drifted, code in ((False, 0), (True, 2)):
        if drifted:
            edit_manually(host)
        trace = tmp_path / f"trace-{code}"
        strace = ["strace", "--follow-forks", "--quiet=all", "--output", str(trace), *program]
        done = subprocess.run(strace, cwd=host.directory, env=base_environment(), capture_output=True, check=False)
        assert done.returncode == code, done.stderr
        called = set(re.findall(r"^\d+ +(\w+)\(", trace.read_text(), re.MULTILINE))
        assert "openat" in called
        assert called <= allowed - forbidden
        opened = set(re.findall(r'"/proc/([^/"]+)', trace.read_text()))
        assert all(each == "self" or each.isdecimal() for each in opened), "ProcSubset=pid hides the rest of /proc"
