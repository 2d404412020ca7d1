"""One requirement (PEP 508): the place, the words and the hint of every error."""

import pytest

from reconciler.errors import DIRECT_CREDENTIALS_HINT
from reconciler.manifest.invalid_text import InvalidTextError
from reconciler.manifest.requirement import parse_requirement
from reconciler.manifest.urls import LOCAL_DIRECTORY_HINT

INVALID = "not a valid requirement: "
AFTER_NAME = f"{INVALID}expected a version specifier such as `==1.0` after the name"
AT_START = f"{INVALID}expected a package name at the start"
KEYS = "use the keys `requirements`, `constraints`, `indexes` or `project` instead"
URL = "https://u:hidden@x/y.whl"
PROJECT = "write `project: {{path: {}}}` in the environment instead, or the path in a requirements file"
OWN = "write `project: {path: lib, editable: true}` in the environment instead"
CONSTRAINTS = "write `constraints: [c]` in the environment instead"
CASES = [
    ("", None, "the requirement is empty", ""),
    ("  ", None, "the requirement is empty", ""),
    ("--pre x", "--pre", "must be a requirement, not an option", KEYS),
    ("--pre", "--pre", "must be a requirement, not an option", "write `prerelease: allow` in the environment instead"),
    (" -r a", "-r", "must be a requirement, not an option", "write `requirements: [a]` in the environment instead"),
    ("-e ./lib", "-e", "must be a requirement, not an option", OWN),
    ("--editable=./lib", "--editable=./lib", "must be a requirement, not an option", OWN),
    (" --constraint c", "--constraint", "must be a requirement, not an option", CONSTRAINTS),
    (
        "--only-binary :all:",
        "--only-binary",
        "must be a requirement, not an option",
        "write `builds: deny` in the environment instead",
    ),
    ("-r", "-r", "must be a requirement, not an option", KEYS),
    ("-e six", "-e", "must be a requirement, not an option", KEYS),
    (
        "--extra-index-url='https://Pypi.example/simple'",
        "--extra-index-url='https://Pypi.example/simple'",
        "must be a requirement, not an option",
        'write `indexes: [{name: pypi-example, url: "https://Pypi.example/simple"}]` at the top level instead',
    ),
    (
        "-i https://---/x",
        "-i",
        "must be a requirement, not an option",
        'write `indexes: [{name: main, url: "https://---/x"}]` at the top level instead',
    ),
    ("-e https://u:hidden@x/y", "-e https://u:hidden@x/y", "credentials in a URL", DIRECT_CREDENTIALS_HINT),
    ("six\nidna", None, f"{INVALID}it has more than one line", ""),
    ("six\ridna", None, f"{INVALID}it has more than one line", ""),
    ("six=1", "=", AFTER_NAME, "did you mean `six==1`?"),
    ("six=>1", "=", AFTER_NAME, "did you mean `six>=1`?"),
    ("six =< 2", "=", AFTER_NAME, "did you mean `six <= 2`?"),
    (" six 1.0", "1", AFTER_NAME, "did you mean `six==1.0`?"),
    ("six[a] 1.0", "1", AFTER_NAME, "did you mean `six[a]==1.0`?"),
    ("six=1 !", "=", AFTER_NAME, ""),
    ("https://x/y.whl", ":", AFTER_NAME, "write `NAME @ URL`"),
    ("./six", ".", AT_START, PROJECT.format("six")),
    ("../six", ".", AT_START, PROJECT.format('"../six"')),
    ("./six-1.0.tar.gz", ".", AT_START, LOCAL_DIRECTORY_HINT),
    ("/six", "/", AT_START, LOCAL_DIRECTORY_HINT),
    (".", ".", AT_START, PROJECT.format(".")),
    ("C:\\six", ":", AFTER_NAME, LOCAL_DIRECTORY_HINT),
    ("six @ ./x", "./x", "a direct reference must be a URL", LOCAL_DIRECTORY_HINT),
    ("six>=1,<", ">=1,", f"{INVALID}expected a complete version specifier such as `>=1.0,<2`", ""),
    ("six ; nope > '3'", "n", f"{INVALID}expected a marker variable or quoted string", ""),
    ("six[", "[", f"{INVALID}expected `]` after the extras", ""),
    ("_six", "_", AT_START, ""),
    (f"six @ {URL}", URL, "credentials in a URL", DIRECT_CREDENTIALS_HINT),
    (f" six=1 @ {URL}", f"six=1 @ {URL}", "credentials in a URL", DIRECT_CREDENTIALS_HINT),
]


@pytest.mark.parametrize(("text", "wrong", "message", "hint"), CASES)
def test_an_invalid_requirement_has_a_place_and_a_hint(text: str, wrong: str | None, message: str, hint: str) -> None:
    with pytest.raises(InvalidTextError) as caught:
        parse_requirement(text)
    error = caught.value
    assert (error.message, error.hint) == (message, hint)
    assert (None if error.offset is None else text[error.offset : error.offset + error.width]) == wrong


@pytest.mark.parametrize(
    ("text", "normalized"),
    [
        (" Six ", "six"),
        ("Some_Thing.x [Web, Db_X] >= 1 , < 2", "some-thing-x[db-x,web]<2,>=1"),
        ("six ; os_name=='nt'", 'six ; os_name == "nt"'),
        ("six @ git+ssh://git@x.example/six.git", "six @ git+ssh://git@x.example/six.git"),
    ],
)
def test_names_and_spaces_are_normalized(text: str, normalized: str) -> None:
    assert str(parse_requirement(text)).replace("; ", " ; ").replace("  ;", " ;") == normalized
