"""The GitHub action: on a pull request, on schedule and on merge, with real git, real environments and a real API."""

import re
from pathlib import Path

import pytest

from tests.host import Host
from tests.repository import change_on_branch, edit_by_hand, git, merge
from tests.surfaces.action import action, run_action
from tests.surfaces.pull_request import PullRequest

MARKER = "<!-- envsync -->"
PERSON = f"{MARKER}\nI am a person, and quote it"


def on_the_runner(host: Host) -> None:
    """Leave what a hosted runner has: the branch, the remote's main, and no environment."""
    git(host.directory, "update-ref", "refs/remotes/origin/main", "main")


def test_a_pull_request_is_answered_in_one_comment_that_is_kept(
    host: Host, pull_request: PullRequest, tmp_path: Path
) -> None:
    on_the_runner(host)
    change_on_branch(host)
    pull_request.say(PERSON, by="User")
    for number in range(100):  # more than a page
        pull_request.say(f"comment {number}", by="User")
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


def test_a_plan_that_fails_takes_the_place_of_the_one_before(
    host: Host, pull_request: PullRequest, tmp_path: Path
) -> None:
    on_the_runner(host)
    pull_request.say(f"{MARKER}\nan old plan")
    (host.directory / "envs.yaml").write_text("version: 1\nproject: [oops]\n")
    step = run_action(host, tmp_path, {"command": "plan"}, pull_request=pull_request, base="main")
    assert step.ran.code == 3
    assert "envs.yaml:2" in step.ran.err
    [comment] = pull_request.comments
    assert "could not plan" in comment["body"]
    assert "an old plan" not in comment["body"]


@pytest.mark.parametrize(("status", "code"), [(403, 0), (500, 1)])
def test_a_token_that_may_not_write_fails_nothing(
    host: Host, pull_request: PullRequest, tmp_path: Path, status: int, code: int
) -> None:
    on_the_runner(host)
    change_on_branch(host)
    pull_request.refuses = status
    step = run_action(host, tmp_path, {"command": "plan"}, pull_request=pull_request, base="main")
    assert step.ran.code == code
    assert f"::warning title=envsync::the comment was not written (HTTP {status})" in step.ran.out
    assert "alpha" in step.summary


def test_the_check_annotates_and_leaves_a_page(host: Host, tmp_path: Path) -> None:
    host.apply()
    clean = run_action(host, tmp_path, {"command": "check"})
    assert clean.ran.code == 0, clean.ran.err
    edit_by_hand(host)
    step = run_action(host, tmp_path, {"command": "check"})
    assert step.ran.code == 2
    [annotation] = [line for line in step.ran.out.splitlines() if line.startswith("::") and "beta" in line]
    assert "file=envs.yaml" in annotation
    assert "beta" in step.summary
    assert step.summary.count(MARKER) == 1
    assert "beta" in Path(step.outputs["report"]).read_text(encoding="utf-8")
    assert run_action(host, tmp_path, {"command": "check", "only": "pending"}).ran.code == 0


def test_what_was_approved_is_applied(host: Host, tmp_path: Path) -> None:
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
    assert again.ran.code == 3, "it was of another state"


def test_apply_alone_plans_for_itself(host: Host, tmp_path: Path) -> None:
    change_on_branch(host)
    merge(host)
    step = run_action(host, tmp_path, {"command": "apply"})
    assert step.ran.code == 0, step.ran.err
    assert step.summary.count(MARKER) == 2, "the plan, and what came of it"
    assert "alpha==1.1" in host.freeze("web")


def test_an_input_is_never_shell_text(host: Host, tmp_path: Path) -> None:
    hostile = "--output=json $(touch sung); touch sung `touch sung` '\"\n$IFS"
    for inputs in (
        {"command": "plan", "against": "main", "file": hostile},
        {"command": "plan", "against": hostile},
        {"command": "check", "only": hostile},
        {"command": "apply", "plan-file": hostile},
        {"command": hostile},
    ):
        assert run_action(host, tmp_path, inputs).ran.code == 3
    assert not (host.directory / "sung").exists()


def test_no_expression_is_in_a_script() -> None:
    for step in action()["runs"]["steps"]:
        assert "uses" not in step, "no action of others"
        assert not re.search(r"\$\{\{", step["run"])
    for script in (Path(__file__).parent.parent.parent / ".github/action").iterdir():
        if script.is_file():
            assert "${{" not in script.read_text(encoding="utf-8")
