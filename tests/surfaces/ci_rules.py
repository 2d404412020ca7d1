"""What must hold for every file and every example that a CI system executes: rules, and where such text is found."""

import re
from collections.abc import Iterator
from typing import Any

import yaml

from tests.repository_files import ROOT, repository_files

EVENTS_WITH_SECRETS = {"pull_request_target", "workflow_run", "issue_comment"}
"""Triggers that give a stranger's pull request the token or the secrets of the repository."""

NEEDED_PERMISSIONS = {"contents": "read", "pull-requests": "write"}

_COMMIT = re.compile(r"[\w./-]+@[0-9a-f]{40}")
_PYTHON = re.compile(r"(?:^|[\s;&|(/\"'])python[0-9.]*[\"']?(?= )(?! -I )", re.MULTILINE)
_SCRIPT = re.compile(r"bin/(?:pip|envsync)[0-9.]*[\"']?\s")
_REDIRECT = re.compile(r"(?<![<>&\d])>+ *(?P<file>[\w.-]+)")
_CODE = re.compile(r"^```(?P<language>\w+)\n(?P<text>.*?)^```$", re.DOTALL | re.MULTILINE)
_SCRIPT_KEYS = ("before_script", "script", "after_script")


def documents() -> Iterator[tuple[str, Any]]:
    """Yield every YAML document of the repository that a CI system or pre-commit reads, and its place.

    They are the YAML files outside of the tests, and the YAML examples on the pages.
    """
    for path in repository_files():
        if path.parts[0] in {"tests", "schemas"}:
            continue
        if path.suffix in {".yml", ".yaml"}:
            yield str(path), yaml.safe_load((ROOT / path).read_text(encoding="utf-8"))
        elif path.suffix == ".md":
            for found in _CODE.finditer((ROOT / path).read_text(encoding="utf-8")):
                if found["language"] in {"yaml", "yml"}:
                    yield f"{path}: example", yaml.safe_load(found["text"])


def scripts() -> Iterator[tuple[str, str]]:
    """Yield every shell text that runs in a repository of someone else, and its place.

    They are the scripts of the action, the texts in `documents()`, and the commands of the units. `.ci/run` is not one
    of them: it runs the tests of this repository, so it executes the checkout on purpose.
    """
    for path in repository_files():
        if path.suffix == ".sh" and path.parts[0] != "tests":
            yield str(path), (ROOT / path).read_text(encoding="utf-8")
        elif path.suffix == ".service":
            text = (ROOT / path).read_text(encoding="utf-8")
            yield str(path), "\n".join(re.findall(r"^Exec\w+=(.*)$", text, re.MULTILINE))
    for place, document in documents():
        for text in _shell_in(document):
            yield place, text


def wrong_in_script(text: str) -> Iterator[str]:
    """Yield what is wrong in a shell text."""
    code = "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("#"))
    if "${{" in code:
        yield "a value of the event becomes shell text: pass it in `env`"
    if _PYTHON.search(code):
        yield "Python starts without -I: the checkout or PYTHONPATH says what it imports"
    if _SCRIPT.search(code):
        yield "a script of an environment starts Python without -I"
    if re.search(r"\bcurl\b.*\|\s*(?:ba)?sh|\beval\b", code):
        yield "text from elsewhere is executed"


def wrong_in_document(document: Any) -> Iterator[str]:
    """Yield what is wrong in a workflow, an action or a GitLab template."""
    for used in _values(document, "uses"):
        if not _COMMIT.fullmatch(used) and not used.startswith("./"):
            yield f"{used} is not pinned to a commit"
    for key in ("run", *_SCRIPT_KEYS):
        for text in _values(document, key):
            yield from _written_through_a_link(text)
    if isinstance(document, dict) and "jobs" in document:
        yield from _wrong_in_workflow(document)


def _wrong_in_workflow(workflow: dict[Any, Any]) -> Iterator[str]:
    events: Any = workflow.get("on", workflow.get(True, ()))  # YAML 1.1 reads `on` as true
    names = {events} if isinstance(events, str) else set(events)
    for event in names & EVENTS_WITH_SECRETS:
        yield f"{event} gives the token to the pull request of a stranger"
    if workflow.get("permissions") != {}:
        yield "the workflow must have `permissions: {}`, and each job its own"
    for name, job in workflow["jobs"].items():
        permissions = job.get("permissions")
        if not isinstance(permissions, dict):
            yield f"{name} has no `permissions`"
        elif (
            set(permissions.values()) - {"read"} - ({"write"} if permissions.get("pull-requests") == "write" else set())
        ):
            yield f"{name} has a permission that it does not need"
        if "pull_request" in names and "self-hosted" in str(job.get("runs-on")):
            yield f"{name} runs pull requests on a machine of one's own"
        for step in job.get("steps", ()):
            if (
                "actions/checkout" in step.get("uses", "")
                and step.get("with", {}).get("persist-credentials") is not False
            ):
                yield f"{name} leaves the token in the checkout"
            if "secrets." in str(step):
                yield f"{name} gives a secret to a step"


def _written_through_a_link(text: str) -> Iterator[str]:
    removed: set[str] = set()
    for line in text.splitlines():
        if line.startswith("rm -rf "):
            removed |= set(line.split())
        for found in _REDIRECT.finditer(line):
            if found["file"] not in removed:
                yield f"{found['file']} may be a link that was committed: remove it before the shell writes to it"


def _shell_in(document: Any) -> Iterator[str]:
    yield from _values(document, "run")
    yield from _values(document, "entry")
    for key in _SCRIPT_KEYS:
        yield from _values(document, key)


def _values(value: Any, key: str) -> Iterator[str]:
    """Yield the text of each `key` in a document, whatever its depth; the items of a list are joined by line ends."""
    if isinstance(value, list):
        for each in value:
            yield from _values(each, key)
    elif isinstance(value, dict):
        for name, each in value.items():
            if name != key:
                yield from _values(each, key)
            elif isinstance(each, str):
                yield each
            elif isinstance(each, list) and all(isinstance(line, str) for line in each):
                yield "\n".join(each)
