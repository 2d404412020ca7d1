"""Runs the GitHub action like a runner: the step of `action.yml`, in bash, with the runner's files and variables."""

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
    """The result of the step that runs envsync."""

    ran: Ran
    summary: str
    outputs: dict[str, str]


def action() -> dict[str, Any]:
    found = yaml.safe_load((TOP / "action.yml").read_text(encoding="utf-8"))
    assert isinstance(found, dict)
    return found


def run_action(
    host: Host, scratch: Path, inputs: Mapping[str, str], *, pull_request: PullRequest | None = None, base: str = ""
) -> Step:
    """Run the action with `inputs`; `base` is the target branch of a pull request, empty without one."""
    runner = scratch / "runner"
    (runner / "envsync").mkdir(parents=True, exist_ok=True)
    link = runner / "envsync/bin"  # what install.sh creates: a venv with envsync in it
    if not link.is_symlink():
        link.symlink_to(Path(sys.executable).parent)
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
    }
    [step] = [each for each in action()["runs"]["steps"] if each.get("id") == "run"]
    values = {
        "github.event.pull_request.number": str(pull_request.number) if pull_request else "",
        "github.event.pull_request.head.sha": git(host.directory, "rev-parse", "HEAD") if pull_request else "",
        **{f"inputs.{name}": str(given.get("default", "")) for name, given in action()["inputs"].items()},
        "inputs.token": "the-token",
        **{f"inputs.{name}": value for name, value in inputs.items()},
    }
    env = {name: _value(text, values) for name, text in step["env"].items()}
    ran = shell(host, step["run"], {**github, **env})
    written = dict(line.split("=", 1) for line in outputs.read_text().splitlines())
    return Step(ran=ran, summary=summary.read_text(), outputs=written)


def _value(text: str, values: dict[str, str]) -> str:
    expression = EXPRESSION.match(text)
    assert expression is not None, text
    return values[expression["name"]]
