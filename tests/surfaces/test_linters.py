"""Files that other programs read pass the linters of these programs, or their published schemas."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

TOP = Path(__file__).parent.parent.parent
WORKFLOWS = sorted(TOP.glob("docs/github/*.yml"))
SCRIPTS = sorted(TOP.glob(".github/action/*.sh"))
BIN = Path(sys.executable).parent


def lint(*command: str | Path) -> None:
    done = subprocess.run(
        [BIN / command[0], *command[1:]], cwd=TOP, capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stdout + done.stderr


def against_schema(schema: str, *files: Path, transform: str | None = None) -> None:
    more = ["--data-transform", transform] if transform else []
    lint("check-jsonschema", "--builtin-schema", f"vendor.{schema}", *more, *files)


def test_the_action_and_the_workflows_are_valid_for_github() -> None:
    against_schema("github-actions", TOP / "action.yml")
    assert len(WORKFLOWS) == 3
    against_schema("github-workflows", *WORKFLOWS)


def test_zizmor_finds_nothing_in_them() -> None:
    lint("zizmor", "--offline", "--persona", "pedantic", "--no-progress", "--quiet", TOP / "action.yml", *WORKFLOWS)


def test_the_template_is_valid_for_gitlab() -> None:
    against_schema("gitlab-ci", TOP / "docs/gitlab-ci.yml", transform="gitlab-ci")


def test_shellcheck_finds_nothing_in_the_scripts() -> None:
    assert SCRIPTS
    lint("shellcheck", *SCRIPTS)


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="needs systemd-analyze (Debian: package systemd)")
def test_the_units_are_valid_for_systemd(tmp_path: Path) -> None:
    units = []
    for unit in sorted(TOP.glob("docs/systemd/*")):
        copy = tmp_path / unit.name
        copy.write_text(unit.read_text().replace("/opt/envsync/bin", str(BIN)))  # the program must exist
        units.append(str(copy))
    assert [Path(each).suffix for each in units] == [".service", ".timer"]
    notification = re.search(
        r"```ini\n# /etc/systemd/system/(\S+)\n(.*?)```", (TOP / "docs/ci.md").read_text(), re.DOTALL
    )
    assert notification is not None
    (tmp_path / notification[1]).write_text(notification[2])
    units.append(str(tmp_path / notification[1]))
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *units], capture_output=True, text=True, check=False, timeout=60
    )
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="needs systemd-analyze (Debian: package systemd)")
def test_the_page_gives_the_exposure_of_the_unit() -> None:
    """systemd rates it from 0 to 10. Other versions of systemd know other settings, so the rating is a bound."""
    [rating] = re.findall(r"rates its exposure (\d\.\d) of 10", (TOP / "docs/ci.md").read_text(encoding="utf-8"))
    threshold = f"--threshold={round(float(rating) * 10)}"  # systemd counts in tenths
    unit = str(TOP / "docs/systemd/envsync-check.service")
    exposure = ["systemd-analyze", "security", "--offline=true", threshold, "--no-pager", unit]
    done = subprocess.run(exposure, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
