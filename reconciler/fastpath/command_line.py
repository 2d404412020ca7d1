"""Parses the command lines that the fast path can answer; all others belong to the full program."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

# Flags that change nothing in the answer if nothing differs.
_FLAGS = {
    "plan": ("--detailed-exitcode", "--locked", "--offline", "--prune", "-q", "--quiet"),
    "check": ("--prune", "-q", "--quiet"),
}
_VALUES = {"-f": "--file", "--file": "--file", "--depth": "--depth", "--color": "--color", "--output": "--output"}


class QuickRequest:
    """A command line that the fast path can answer.

    `command` is `plan` or `check`, `file` the manifest as it was named, `files` whether files are compared (depth
    `files` instead of `metadata`), `color` is `auto`, `always` or `never`.
    """

    __slots__ = ("color", "command", "file", "files")

    def __init__(self, command: str, file: str, *, files: bool, color: str) -> None:
        self.command = command
        self.file = file
        self.files = files
        self.color = color


def parse_command_line(arguments: Sequence[str], environ: Mapping[str, str]) -> QuickRequest | None:
    """Return the request that a command line makes, None if only the full program can answer it."""
    command, *rest = arguments or ("",)
    if command not in _FLAGS:
        return None
    values = {"--file": environ.get("ENVSYNC_FILE") or "envs.yaml", "--depth": "files", "--color": "auto"}
    while rest:
        option, equals, value = rest.pop(0).partition("=")
        if option in _FLAGS[command] and not equals:
            continue
        if option not in _VALUES or (equals and not option.startswith("--")) or not (equals or rest):
            return None
        values[_VALUES[option]] = value if equals else rest.pop(0)
    if values.get("--output", "text") != "text" or values["--depth"] not in {"metadata", "files"}:
        return None
    if values["--color"] not in {"auto", "always", "never"} or not values["--file"]:
        return None
    return QuickRequest(command, values["--file"], files=values["--depth"] == "files", color=values["--color"])
