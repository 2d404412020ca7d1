"""Runs the GitHub action like a runner: the steps of `action.yml`, in bash, with the runner's files and variables."""

import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.host import Host, Ran
from tests.repository import git, shell
from tests.surfaces.pull_request import PullRequest

TOP = Path(__file__).parent.parent.parent
EXPRESSION = re.compile(r"^\$\{\{ (?P<name>[a-z_.-]+) \}\}$")


@dataclass(frozen=True, kw_only=True)
class Step:
    """The result of the step that runs envsync, and of the step that comments if there was one."""

    ran: Ran
    summary: str
    outputs: dict[str, str]


def action() -> dict[str, Any]:
    found = yaml.safe_load((TOP / "action.yml").read_text(encoding="utf-8"))
    assert isinstance(found, dict)
    return found


def run_action(
    host: Host,
    scratch: Path,
    inputs: Mapping[str, str],
    *,
    pull_request: PullRequest | None = None,
    base: str = "",
    env: Mapping[str, str] | None = None,
    install: bool = False,
) -> Step:
    """Run the action with `inputs`; `base` is the target branch of a pull request, empty without one.

    `env` are variables that the workflow sets. With `install`, the first step installs envsync from the package index;
    otherwise the envsync of this test run is used.
    """
    runner = scratch / "runner"
    runner.mkdir(exist_ok=True)
    summary, outputs = runner / "summary", runner / "outputs"
    summary.write_text("")
    outputs.write_text("")
    github = {
        "GITHUB_ACTION_PATH": str(TOP),
        "GITHUB_REPOSITORY": "acme/environments",
        "GITHUB_API_URL": pull_request.api if pull_request else "http://127.0.0.1:9",
        "GITHUB_BASE_REF": base,
        "GITHUB_SHA": "0" * 40,
        "GITHUB_STEP_SUMMARY": str(summary),
        "GITHUB_OUTPUT": str(outputs),
        "RUNNER_TEMP": str(runner),
        **(env or {}),
    }
    values = {
        "github.event.pull_request.number": str(pull_request.number) if pull_request else "",
        "github.event.pull_request.head.sha": git(host.directory, "rev-parse", "HEAD") if pull_request else "",
        **{f"inputs.{name}": str(given.get("default", "")) for name, given in action()["inputs"].items()},
        "inputs.token": "the-token",
        **{f"inputs.{name}": value for name, value in inputs.items()},
    }

    def run_step(step: dict[str, Any]) -> Ran:
        assert set(step) <= {"name", "id", "if", "shell", "env", "run"}
        assert step["shell"] == "bash"
        own = {name: _value(text, values) for name, text in step.get("env", {}).items()}
        return shell(host, step["run"], {**github, **own})

    installing, running, commenting = action()["runs"]["steps"]
    if install:
        installed = run_step(installing)
        assert installed.code == 0, installed.err
    elif not (runner / "envsync").exists():
        (runner / "envsync").symlink_to(sys.prefix)  # what install.sh creates: a venv with envsync in it
    ran = run_step(running)
    written = dict(line.split("=", 1) for line in outputs.read_text().splitlines())
    assert commenting["if"] == "${{ !cancelled() && steps.run.outputs.comment != '' }}"
    if values.setdefault("steps.run.outputs.comment", written.get("comment", "")):
        commented = run_step(commenting)
        ran = Ran(code=ran.code or commented.code, out=ran.out + commented.out, err=ran.err + commented.err)
    return Step(ran=ran, summary=summary.read_text(), outputs=written)


def _value(text: str, values: dict[str, str]) -> str:
    expression = EXPRESSION.match(text)
    assert expression is not None, text
    return values[expression["name"]]
