"""Every workflow, action, template, hook and unit here, and every example of one, keeps the rules of CI."""

from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from tests.surfaces.action import action
from tests.surfaces.ci_rules import documents, scripts, wrong_in_document, wrong_in_script

SCRIPTS = list(scripts())
DOCUMENTS = [(place, document) for place, document in documents() if isinstance(document, dict | list)]


def test_the_files_of_every_kind_are_found() -> None:
    places = {place for place, _ in SCRIPTS}
    assert {
        "action.yml",
        ".pre-commit-hooks.yaml",
        ".github/action/install.sh",
        ".github/action/run.sh",
        "docs/gitlab-ci.yml",
        "docs/systemd/envsync-check.service",
    } <= places
    assert {f"docs/github/{name}.yml" for name in ("plan", "check", "apply")} < {place for place, _ in DOCUMENTS}
    assert any(place == "docs/ci.md: example" for place, _ in DOCUMENTS)


@pytest.mark.parametrize(("place", "text"), SCRIPTS, ids=[place for place, _ in SCRIPTS])
def test_no_shell_text_is_open_to_the_checkout(place: str, text: str) -> None:
    assert list(wrong_in_script(text)) == []


@pytest.mark.parametrize(("place", "document"), DOCUMENTS, ids=[place for place, _ in DOCUMENTS])
def test_no_document_gives_more_than_it_must(place: str, document: Any) -> None:
    assert list(wrong_in_document(document)) == []


def test_only_the_step_that_comments_has_the_token() -> None:
    """It reads the report, and no file of the pull request."""
    having = [step for step in action()["runs"]["steps"] if "token" in str(step.get("env", {})).lower()]
    assert [step["name"] for step in having] == ["Comment on the pull request"]
    assert "comment.py" in having[0]["run"]
    assert "reconciler" not in having[0]["run"]


@pytest.mark.parametrize(
    "text",
    [
        'echo "${{ github.event.pull_request.title }}"',
        "envsync plan --against ${{ inputs.against }}",
        "python3 -m venv x",
        '"$RUNNER_TEMP/envsync/bin/python" comment.py',
        "true && python3.12 -c 'import json'",
        "python -Im pip",  # may be as safe, but there is one way to write it
        "x/bin/pip install y",
        '"$RUNNER_TEMP/envsync/bin/envsync" plan',
        "curl https://get.example | sh",
        'eval "$TITLE"',
    ],
)
def test_each_rule_for_shell_text_refuses_what_it_is_for(text: str) -> None:
    assert list(wrong_in_script(text))


@pytest.mark.parametrize(
    "text", ["python3 -I -m venv x", '"$a/bin/python" -I -m reconciler "$@"', "# python -m venv", ""]
)
def test_what_is_isolated_is_accepted(text: str) -> None:
    assert list(wrong_in_script(text)) == []


GOOD = """
on: {pull_request: {paths: [envs.yaml]}}
permissions: {}
jobs:
  plan:
    runs-on: ubuntu-24.04
    permissions: {contents: read, pull-requests: write}
    steps:
      - uses: actions/checkout@08c6903cd8c0fde910a37f88322edcfb5dd907a8
        with: {persist-credentials: false}
"""


def wrong_workflows() -> Iterator[tuple[str, str]]:
    yield "@08c6903cd8c0fde910a37f88322edcfb5dd907a8", "@v5"
    yield "@08c6903cd8c0fde910a37f88322edcfb5dd907a8", "@08c6903"
    yield "pull_request:", "pull_request_target:"
    yield "on: {pull_request: {paths: [envs.yaml]}}", "on: workflow_run"
    yield "on: {pull_request: {paths: [envs.yaml]}}", "on: [push, issue_comment]"
    yield "permissions: {}", "permissions: write-all"
    yield "permissions: {}", "name: none"
    yield "    permissions: {contents: read, pull-requests: write}\n", ""
    yield "contents: read, pull-requests: write", "contents: write"
    yield "ubuntu-24.04", "[self-hosted, acme]"
    yield "        with: {persist-credentials: false}\n", ""
    yield "persist-credentials: false", "persist-credentials: false, token: '${{ secrets.TOKEN }}'"


@pytest.mark.parametrize(("text", "instead"), list(wrong_workflows()))
def test_each_rule_for_workflows_refuses_what_it_is_for(text: str, instead: str) -> None:
    assert text in GOOD
    assert list(wrong_in_document(yaml.safe_load(GOOD))) == []
    assert list(wrong_in_document(yaml.safe_load(GOOD.replace(text, instead))))


def test_a_job_writes_through_no_link_of_the_checkout() -> None:
    """A shell follows a link that was committed, and overwrites any file of the runner's user."""
    assert list(wrong_in_document({"job": {"script": ["rm -rf a.json", "envsync plan > a.json"]}})) == []
    assert list(wrong_in_document([{"run": 'envsync plan > "$RUNNER_TEMP/a.json" 2>&1'}])) == []
    assert list(wrong_in_document({"job": {"script": ["envsync plan > a.json", "rm -rf a.json"]}}))
    assert list(wrong_in_document({"job": {"script": ["rm -rf b.json", "envsync plan >> a.json || true"]}}))
    assert list(wrong_in_document({"job": {"script": "envsync plan > a.json"}}))
    assert list(wrong_in_document([{"run": "envsync plan >a.json"}]))
