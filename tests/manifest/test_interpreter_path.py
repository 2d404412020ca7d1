"""The path of an interpreter is absolute, and outside of the manifest's directory, also through links."""

from pathlib import Path

import pytest

from reconciler.manifest.invalid_text import InvalidTextError
from reconciler.manifest.python_request import validate_python

INSIDE = "the interpreter is inside the manifest's directory: envsync never runs one from the repository"
LONG = "the path has more than 4,096 characters"
RELATIVE = "the path of an interpreter must be absolute: envsync never runs one from the repository"


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        ("{top}/work/venv/bin/python", INSIDE),
        ("{top}/work", INSIDE),
        ("{top}/other/../work/venv/bin/python", INSIDE),
        ("{top}/link/venv/bin/python", INSIDE),
        ("{top}/into", INSIDE),
        ("./venv/bin/python", RELATIVE),
        ("../other/bin/python", RELATIVE),
        (f"/{'x' * 4096}", LONG),
    ],
)
def test_an_interpreter_of_the_repository_is_refused(request_: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "work/venv/bin").mkdir(parents=True)
    (tmp_path / "work/venv/bin/python").touch()
    (tmp_path / "link").symlink_to("work")
    (tmp_path / "into").symlink_to("work/venv/bin/python")
    for directory in ("work", "link"):
        with pytest.raises(InvalidTextError) as caught:
            validate_python(request_.format(top=tmp_path), tmp_path / directory)
        assert caught.value.message == message


@pytest.mark.parametrize("name", ["work-other/bin/python", "other/bin/python"])
def test_an_interpreter_elsewhere_is_accepted(name: str, tmp_path: Path) -> None:
    (tmp_path / "work").mkdir()
    assert validate_python(f"{tmp_path}/{name}", tmp_path / "work") == f"{tmp_path}/{name}"
