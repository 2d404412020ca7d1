"""Reads a command line that asks for nothing but `plan` or `check`; any other is the full program's."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_FLAGS = {
    "plan": ("--detailed-exitcode", "--locked", "--offline", "--prune", "-q", "--quiet"),
    "check": ("--prune", "-q", "--quiet"),
}  # none of them makes a difference where there is none
_VALUES = {"-f": "--file", "--file": "--file", "--depth": "--depth", "--color": "--color", "--output": "--output"}


class Question:
    """What is asked: the command, the manifest as named, whether files are compared, and when to colour."""

    __slots__ = ("color", "command", "file", "files")

    def __init__(self, command: str, file: str, *, files: bool, color: str) -> None:
        self.command = command
        self.file = file
        self.files = files
        self.color = color


def asked(arguments: Sequence[str], environ: Mapping[str, str]) -> Question | None:
    """Return the question that a command line asks, None where it is one for the full program."""
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
    return Question(command, values["--file"], files=values["--depth"] == "files", color=values["--color"])
