"""The Python on `docs/python.md` runs, on a host with a real index, and does what the page says."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docs.pages import DOCS, block_after
from tests.host import Host, base_environment, new_host

PAGE = DOCS / "python.md"
WEB = 'web:\n  python: "3.11"\n  packages: [alpha==1.0]\n'


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Host]:
    with new_host(tmp_path) as made:
        yield made


def run_python(host: Host, text: str) -> subprocess.CompletedProcess[str]:
    file = host.directory / "script.py"
    file.write_text(text, encoding="utf-8")
    return subprocess.run(
        [sys.executable, "-W", "error", file.name],
        cwd=host.directory,
        env=base_environment(),
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_script_applies_reports_errors_and_refuses_to_delete(host: Host) -> None:
    script = block_after(PAGE, "script", "python")
    host.manifest(WEB)
    done = run_python(host, script)
    assert done.returncode == 0, done.stderr
    assert "web: create\n" in done.stdout
    assert "alpha: None -> 1.0\n" in done.stdout
    assert "web: publish took " in done.stdout
    assert done.stdout.endswith("web: applied\n")
    assert host.freeze("web") == ["alpha==1.0", "beta==2.0"]

    host.manifest(WEB.replace("web:", "renamed:"))
    done = run_python(host, script)
    assert done.returncode == 1
    assert done.stdout.endswith("not applied: an environment would be deleted\n")
    assert host.freeze("web") == ["alpha==1.0", "beta==2.0"]

    host.manifest("web:\n  pyhton: '3.11'\n")
    done = run_python(host, script)
    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr.startswith("envs.yaml:")


def test_the_shorter_examples_run_one_after_the_other(host: Host) -> None:
    text = PAGE.read_text(encoding="utf-8").partition("## Load\n")[2].partition("<!-- reference")[0]
    blocks = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    assert len(blocks) >= 8
    host.manifest(WEB)
    done = run_python(host, "\n".join(blocks))
    assert done.returncode == 0, done.stderr
    assert "web 3.11\n" in done.stdout
    assert "0 [('web', <Status.APPLIED: 'applied'>)]\n" in done.stdout
    assert "manifest 3 missing.yaml" in done.stdout
    assert "web True\n" in done.stdout
    assert done.stdout.endswith("0\nFalse\n")
    assert json.loads((host.directory / "plan.json").read_text("utf-8"))["project"] == "acme"
