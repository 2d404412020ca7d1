"""The GitHub action: on a pull request, on schedule and on merge, with real git, real environments and a real API."""

import re
from pathlib import Path

import pytest

from tests.host import Host
from tests.repository import change_on_branch, edit_manually, git, merge
from tests.surfaces.action import action, run_action
from tests.surfaces.pull_request import PullRequest

MARKER = "<!-- envsync -->"
PERSON = f"{MARKER}\nI am a person, and quote it"


def on_the_runner(host: Host) -> None:
    """Create the state of a hosted runner: the branch and the remote's main, without environments."""
    git(host.directory, "update-ref", "refs/remotes/origin/main", "main")


def test_a_pull_request_gets_one_comment_that_is_updated(host: Host, pull_request: PullRequest, tmp_path: Path) -> None:
    on_the_runner(host)
    change_on_branch(host)
    pull_request.add_comment(PERSON, by="User")
    for number in range(100):  # more than a page
        pull_request.add_comment(f"comment {number}", by="User")
    for _ in range(2):
        step = run_action(host, tmp_path, {"command": "plan"}, pull_request=pull_request, base="main")
        assert step.ran.code == 0, step.ran.err
        [comment] = [each["body"] for each in pull_request.comments if each["user"]["type"] == "Bot"]
        assert comment.startswith(f"{MARKER}\n")
        assert "alpha" in comment
        assert "1.1" in comment
        assert git(host.directory, "rev-parse", "HEAD") in comment
        assert step.summary in comment
    assert pull_request.comments[0]["body"] == PERSON
    assert pull_request.tokens == {"Bearer the-token"}


def test_a_plan_that_fails_replaces_the_previous_comment(host: Host, pull_request: PullRequest, tmp_path: Path) -> None:
    on_the_runner(host)
    pull_request.add_comment(f"{MARKER}\nan old plan")
    (host.directory / "envs.yaml").write_text("version: 1\nproject: [oops]\n")
    step = run_action(host, tmp_path, {"command": "plan"}, pull_request=pull_request, base="main")
    assert step.ran.code == 3
    assert "envs.yaml:2" in step.ran.err
    [comment] = pull_request.comments
    assert "could not plan" in comment["body"]
    assert "an old plan" not in comment["body"]


@pytest.mark.parametrize(("status", "code"), [(403, 0), (500, 1)])
def test_a_token_without_write_permission_does_not_fail_the_job(
    host: Host, pull_request: PullRequest, tmp_path: Path, status: int, code: int
) -> None:
    on_the_runner(host)
    change_on_branch(host)
    pull_request.refuses = status
    step = run_action(host, tmp_path, {"command": "plan"}, pull_request=pull_request, base="main")
    assert step.ran.code == code
    assert f"::warning title=envsync::the comment was not written (HTTP {status})" in step.ran.out
    assert "alpha" in step.summary


def test_the_check_annotates_and_writes_a_page(host: Host, tmp_path: Path) -> None:
    host.apply()
    clean = run_action(host, tmp_path, {"command": "check"})
    assert clean.ran.code == 0, clean.ran.err
    edit_manually(host)
    step = run_action(host, tmp_path, {"command": "check"})
    assert step.ran.code == 2
    [annotation] = [line for line in step.ran.out.splitlines() if line.startswith("::") and "beta" in line]
    assert "file=envs.yaml" in annotation
    assert "beta" in step.summary
    assert step.summary.count(MARKER) == 1
    assert "beta" in Path(step.outputs["report"]).read_text(encoding="utf-8")
    assert run_action(host, tmp_path, {"command": "check", "only": "pending"}).ran.code == 0


def test_an_approved_plan_is_applied(host: Host, tmp_path: Path) -> None:
    host.apply()
    change_on_branch(host)
    merge(host)
    plan_file = str(tmp_path / "approved plan.json")
    shown = run_action(host, tmp_path, {"command": "plan", "plan-file": plan_file})
    assert shown.ran.code == 0, shown.ran.err
    assert "alpha" in shown.summary
    step = run_action(host, tmp_path, {"command": "apply", "plan-file": plan_file})
    assert step.ran.code == 0, step.ran.err
    assert "alpha==1.1" in host.freeze("web")
    again = run_action(host, tmp_path, {"command": "apply", "plan-file": plan_file})
    assert again.ran.code == 3, "the plan is of an earlier state"


def test_apply_without_a_plan_file_makes_its_own_plan(host: Host, tmp_path: Path) -> None:
    change_on_branch(host)
    merge(host)
    step = run_action(host, tmp_path, {"command": "apply"})
    assert step.ran.code == 0, step.ran.err
    assert step.summary.count(MARKER) == 2, "the plan and the result"
    assert "alpha==1.1" in host.freeze("web")


def test_an_input_is_never_executed_by_the_shell(host: Host, tmp_path: Path) -> None:
    untrusted = "--output=json $(touch executed); touch executed `touch executed` '\"\n$IFS"
    for inputs in (
        {"command": "plan", "against": "main", "file": untrusted},
        {"command": "plan", "against": untrusted},
        {"command": "check", "only": untrusted},
        {"command": "apply", "plan-file": untrusted},
        {"command": untrusted},
    ):
        assert run_action(host, tmp_path, inputs).ran.code == 3
    assert not (host.directory / "executed").exists()


def test_no_script_contains_a_workflow_expression() -> None:
    steps = action()["runs"]["steps"]
    assert steps
    for step in steps:
        assert "uses" not in step, "the action must not use other actions"
        assert not re.search(r"\$\{\{", step["run"])
    for script in (Path(__file__).parent.parent.parent / ".github/action").iterdir():
        if script.is_file():
            assert "${{" not in script.read_text(encoding="utf-8")
