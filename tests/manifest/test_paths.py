"""Paths in a manifest: which are valid, and the message, hint and place of an error in any other."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from reconciler.manifest import paths
from reconciler.manifest.invalid_text import InvalidTextError

Validate = Callable[[str], object]
allowed = partial(paths.validate_allowed_path, directory=Path("/srv/acme"))
RELATIVE = "write a path relative to the manifest"
ALLOWED = "write an absolute path, or a path relative to the manifest"
LOCK = "write the path of a `uv.lock`, `poetry.lock`, `pdm.lock`, `pylock.toml` or `pylock.NAME.toml`"

VALID: list[tuple[Validate, str, str]] = [
    (paths.validate_path, "a" * 4096, "a" * 4096),
    (paths.validate_path, "a\\b c/d", "a\\b c/d"),
    (paths.validate_lock_directory, "../locks", "../locks"),
    (paths.validate_project_path, ".", "."),
    (paths.validate_file_path, "/srv/a.txt", "/srv/a.txt"),
    (paths.validate_lock_source, "sub/pylock.web.toml", "sub/pylock.web.toml"),
    (allowed, "../wheels", "../wheels"),
    (allowed, "/dev/shm/x", "/dev/shm/x"),  # noqa: S108
]
# The offset and the width of the part that is wrong, without an offset if it is all of the text.
INVALID: list[tuple[Validate, str, str, str, tuple[int | None, int]]] = [
    (paths.validate_path, " ", "the path is empty", RELATIVE, (None, 1)),
    (paths.validate_path, "a" * 4097, "the path has more than 4,096 characters", "correct the path", (None, 1)),
    (paths.validate_path, "~/x", "`~` is not expanded in paths", RELATIVE, (None, 1)),
    (paths.validate_path, "C:/x", "a Windows path, but envsync does not run on Windows", RELATIVE, (None, 1)),
    (paths.validate_path, "a\\b", "`\\` does not separate directories", "did you mean `a/b`?", (None, 1)),
    (paths.validate_path, "a/$X", "variables are not expanded in paths", RELATIVE, (2, 1)),
    (paths.validate_lock_directory, "", "the path is empty", f"{RELATIVE}, for example `locks`", (None, 1)),
    (paths.validate_lock_directory, "/a", "must be a relative path", f"{RELATIVE}, for example `locks`", (None, 1)),
    (paths.validate_project_path, "/a", "must be a relative path", f"{RELATIVE}, for example `.`", (None, 1)),
    (paths.validate_file_path, "https://a/b", "must be a file, not a URL", paths.DOWNLOAD_HINT, (None, 1)),
    (paths.validate_file_path, "-r a", "must be a file, not an option", "write only the path of the file", (None, 1)),
    (paths.validate_file_path, "~/a", "`~` is not expanded in paths", RELATIVE, (None, 1)),
    (paths.validate_lock_source, "https://a/uv.lock", "must be a file, not a URL", paths.DOWNLOAD_HINT, (None, 1)),
    (paths.validate_lock_source, "uv.lock/x", "not the name of a lock", LOCK, (None, 1)),
    (allowed, "", "the path is empty", ALLOWED, (None, 1)),
    (allowed, "file:///srv", "must be a directory, not a URL", ALLOWED, (None, 1)),
    (
        allowed,
        "../..",
        "must not be `/`, which contains every file of the machine",
        "write the directory that has the files",
        (None, 1),
    ),
    *(
        (allowed, text, "must not be below `/proc`, `/sys` or `/dev`", "remove it", (None, 1))
        for text in ("/proc/self", "/sys", "/dev")
    ),
]


@pytest.mark.parametrize(("validate", "text", "result"), VALID)
def test_a_valid_path_is_accepted(validate: Validate, text: str, result: str) -> None:
    assert validate(text) == result


@pytest.mark.parametrize(("validate", "text", "message", "hint", "part"), INVALID)
def test_an_invalid_path_has_a_message_a_hint_and_a_place(
    validate: Validate, text: str, message: str, hint: str, part: tuple[int | None, int]
) -> None:
    with pytest.raises(InvalidTextError) as caught:
        validate(text)
    error = caught.value
    assert (error.message, error.hint, (error.offset, error.width)) == (message, hint, part)


@pytest.mark.parametrize(
    ("path", "found"), [("..", True), ("../x", True), ("a/../../x", True), ("..x", False), ("a/..", False)]
)
def test_a_path_escapes_if_it_ends_above_its_start(path: str, *, found: bool) -> None:
    assert paths.escapes(path) is found
