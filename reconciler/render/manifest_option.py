"""Adds `-f FILE` to the commands in sentences, if the manifest was named on the command line.

A hint below `render` names a command without the manifest: ``run `envsync apply web` ``. After `envsync plan -f
fleet.yaml`, that command would read a different manifest. So the option is added where a sentence is printed
(`sanitize`, the messages of the console, and the JSON of errors and events). It is not added to the JSON of a plan,
whose digest covers its hints.
"""

import re
import shlex
from collections.abc import Mapping
from pathlib import Path

# Those that read a manifest: `show` only uses its name, and `schema` does not have the option.
COMMANDS = frozenset(
    {
        "apply",
        "check",
        "destroy",
        "diff",
        "doctor",
        "freeze",
        "gc",
        "history",
        "hold",
        "lock",
        "observe",
        "plan",
        "publish",
        "release",
        "rollback",
        "run",
        "status",
        "trust",
        "validate",
        "verify",
    }
)
_COMMAND = re.compile(rf"`envsync (?P<name>{'|'.join(sorted(COMMANDS))})(?P<arguments>(?: [^`]*)?)`")
# A command that names a manifest already, and help, which reads none.
_COMPLETE = re.compile(r" \[?(?:-f|--file|-h|--help)(?:[ =]|\Z)")
_OPTION = ""


def set_manifest_option(file: Path | str | None, ambient: Mapping[str, str]) -> None:
    """Set the manifest that this process's command line names; None if the command does not read one.

    Nothing is added if commands without `-f` read the same file: the default, or `ENVSYNC_FILE` in `ambient`.
    """
    global _OPTION  # one process has one command line
    default = ambient.get("ENVSYNC_FILE") or "envs.yaml"
    _OPTION = "" if file is None or Path(file) == Path(default) else f" -f {shlex.quote(str(file))}"


def with_manifest_option(text: str) -> str:
    """Return `text` with `-f FILE` in each command in backticks that reads a manifest and does not name one."""
    if not _OPTION or "`envsync " not in text:
        return text
    return _COMMAND.sub(_completed, text)


def _completed(found: re.Match[str]) -> str:
    if _COMPLETE.search(found["arguments"]):
        return found.group()
    return f"`envsync {found['name']}{_OPTION}{found['arguments']}`"
