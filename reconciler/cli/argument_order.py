"""Lets common options come before the command as well as after it. Imports nothing, because `run` needs it."""


def common_last(arguments: list[str]) -> list[str]:
    """Return the arguments with common options moved from before the command to after it: `envsync -q plan`."""
    leading: list[str] = []
    rest = list(arguments)
    while rest and is_common(rest[0]):
        leading.append(rest.pop(0))
        if leading[-1] == "--color" and rest:
            leading.append(rest.pop(0))
    return [*rest[:1], *leading, *rest[1:]]


def is_common(argument: str) -> bool:
    """Return whether an argument is one of the options that every command has."""
    if argument in {"-q", "--quiet", "--verbose", "--color"} or argument.startswith("--color="):
        return True
    return argument.startswith("-v") and set(argument) == {"-", "v"}
