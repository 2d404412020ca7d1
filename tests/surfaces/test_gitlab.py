"""The GitLab template: the unchanged script of each job runs in a real repository on a real host."""

import sys
from pathlib import Path
from typing import Any

import yaml

from tests.host import Host, Ran
from tests.repository import change_on_branch, edit_manually, git, merge, shell

TEMPLATE = Path(__file__).parent.parent.parent / "docs/gitlab-ci.yml"


def run_job(host: Host, name: str, **variables: str) -> Ran:
    """Run a job with the envsync of this test run, in the place of what the template installs."""
    template: dict[str, Any] = yaml.safe_load(TEMPLATE.read_text(encoding="utf-8"))
    given = {each: str(value) for each, value in template["variables"].items()}
    place = host.directory.parent / f"{host.directory.name}.tmp/envsync"
    if not place.exists():
        place.mkdir(parents=True)
        (place / "venv").symlink_to(sys.prefix)
    before = template[".envsync"]["before_script"]
    lines = [before[0], before[-1], *template[name]["script"]]  # the place, and the function that starts envsync
    return shell(host, "\n".join(lines), {**given, "CI_PROJECT_DIR": str(host.directory), **variables})


def test_each_job_of_the_template_works(host: Host) -> None:
    host.apply()
    base = git(host.directory, "rev-parse", "HEAD")
    change_on_branch(host)
    plan = run_job(host, "envsync-plan", CI_MERGE_REQUEST_DIFF_BASE_SHA=base)
    assert plan.code == 0, plan.err
    assert "alpha" in plan.out
    assert "alpha" in (host.directory / "envsync-quality.json").read_text()

    merge(host)
    saved = run_job(host, "envsync-plan-host")
    assert saved.code == 0, saved.err
    assert "alpha" in saved.out
    applied = run_job(host, "envsync-apply")
    assert applied.code == 0, applied.err
    assert "alpha==1.1" in host.freeze("web")

    assert run_job(host, "envsync-check").code == 0
    edit_manually(host)
    check = run_job(host, "envsync-check")
    assert check.code == 2
    assert "beta" in check.out
    for report in ("envsync-junit.xml", "envsync-report.html"):
        assert "beta" in (host.directory / report).read_text(encoding="utf-8")
