"""The state of a host that the functional tests compare: generations, history, plans, files."""

import os
from pathlib import Path
from typing import Any

from reconciler.state.history import read_history
from reconciler.state.layout import Layout
from tests.host import Host, Ran


def generations(host: Host, name: str) -> list[int]:
    """Return the numbers of the generations that are on disk, published or not."""
    return Layout(host.root).generation_numbers(name)


def published(host: Host, name: str) -> int:
    """Return the number of the published generation, 0 if there is none."""
    return Layout(host.root).published_number(name)


def last_run(host: Host) -> dict[str, Any]:
    """Return the last line of the history."""
    return dict(read_history(Layout(host.root))[-1])


def planned(host: Host, *arguments: str) -> dict[str, dict[str, Any]]:
    """Return the plan of each environment, by name."""
    ran = host.envsync("plan", "--output", "json", *arguments)
    assert ran.code == 0, ran.err
    return {each["name"]: each for each in ran.json()["environments"]}


def steps(host: Host, name: str, *arguments: str) -> list[str]:
    """Return the kinds of the steps that `plan` has for one environment."""
    return [each["kind"] for each in planned(host, *arguments)[name]["steps"]]


def finished(ran: Ran) -> dict[str, dict[str, Any]]:
    """Return how each environment of an `apply --output json` ended."""
    last = ran.events()[-1]
    assert last["type"] == "run-finished"
    return {each["environment"]: each for each in last["environments"]}


def tree(directory: Path, *, but: str = "") -> dict[str, tuple[object, ...]]:
    """Return mode, mtime and content of every entry below a directory, by relative path; `but` is left out."""
    found: dict[str, tuple[object, ...]] = {}
    for folder, names, files in os.walk(directory):
        names[:] = [name for name in names if not but or Path(folder) / name != directory / but]
        for name in names + files:
            path = Path(folder) / name
            status = path.lstat()
            content: object = b""
            if path.is_symlink():
                content = os.fspath(path.readlink())
            elif path.is_file():
                content = path.read_bytes()
            found[path.relative_to(directory).as_posix()] = (status.st_mode, status.st_mtime_ns, content)
    return found
