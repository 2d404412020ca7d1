"""The command line of `run`: its own options come before the name, and all that follows is the command's."""

import pytest

from reconciler.cli.run import _parse
from reconciler.errors import EnvsyncError

ANSWER = ("envs.yaml", "web", ["true"])


@pytest.fixture(autouse=True)
def no_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ENVSYNC_FILE", raising=False)


@pytest.mark.parametrize(
    ("text", "parsed"),
    [
        ("web true", ANSWER),
        ("web -- true", ANSWER),
        ("web -- -- true", ("envs.yaml", "web", ["--", "true"])),
        ("web true -f x --color never", ("envs.yaml", "web", ["true", "-f", "x", "--color", "never"])),
        ("-f x web true", ("x", "web", ["true"])),
        ("--file x web true", ("x", "web", ["true"])),
        ("--file=x web true", ("x", "web", ["true"])),
        ("-f x -f y web true", ("y", "web", ["true"])),
        ("-q web true", ANSWER),
        ("--quiet -v --verbose web true", ANSWER),
        ("--color never web true", ANSWER),
        ("--color=never web true", ANSWER),
    ],
)
def test_options_name_and_command_are_read(text: str, parsed: tuple[str, str, list[str]]) -> None:
    assert _parse(text.split()) == parsed


def test_the_variable_names_the_manifest_and_the_option_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENVSYNC_FILE", "v")
    assert _parse(["web", "true"]) == ("v", "web", ["true"])
    assert _parse(["-f", "x", "web", "true"]) == ("x", "web", ["true"])
    monkeypatch.setenv("ENVSYNC_FILE", "")
    assert _parse(["web", "true"]) == ANSWER


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "`envsync run` requires NAME"),
        ("-- true", "`envsync run` requires NAME"),
        ("--color", "`envsync run` requires NAME"),
        ("-f", "`-f` requires a value"),
        ("--file", "`--file` requires a value"),
        ("web", "`envsync run` requires COMMAND"),
        ("web --", "`envsync run` requires COMMAND"),
    ],
)
def test_what_is_missing_is_named(text: str, message: str) -> None:
    with pytest.raises(EnvsyncError) as caught:
        _parse(text.split())
    assert caught.value.message == message
    assert caught.value.hint
