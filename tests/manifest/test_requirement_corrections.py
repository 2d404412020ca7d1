"""What a mistaken requirement or Python version is corrected to, and what files of other tools become."""

from pathlib import Path

import pytest

from reconciler.manifest.foreign_files import foreign_file_hint
from reconciler.manifest.invalid_text import InvalidTextError
from reconciler.manifest.names import validate_axis_name
from reconciler.manifest.python_request import corrected_python, validate_matrix_python, validate_python
from reconciler.manifest.requirement_corrections import corrected_requirement, operators_of_lists, split_requirements

REQUIREMENTS = [
    ("\u201cdjango==4\u201d", "django==4"),
    ("pip install django==4", "django==4"),
    ("$ python3 -m pip3 install --upgrade six", "six"),
    ("uv pip install -U six", "six"),
    ("pip install six # why", "six"),
    ("six,", "six"),
    ("six;", "six"),
    (" six ", "six"),
    ("'six>=1'", "six>=1"),
    ('"six"', "six"),
    ("'", ""),
    ("'six", ""),
    ("django (argon2)", "django[argon2]"),
    ("django[argon2", "django[argon2]"),
    ("django[argon2>=1", "django[argon2]>=1"),
    ("django=4.2=py_0", "django==4.2"),
    ("django==4.2=h1", "django==4.2"),
    ("django=4.2", "django==4.2"),
    ("django=>4", "django>=4"),
    ("django=<4", "django<=4"),
    ("django@4.2", "django==4.2"),
    ("django:4.2", "django==4.2"),
    ("django @ 4.2", "django==4.2"),
    ("django 4.2", "django==4.2"),
    ("django[a] 4.2", "django[a]==4.2"),
    ("django 4.2 5", ""),
    ("django^4.2", "django>=4.2,<5"),
    ("django^0.2.3", "django>=0.2.3,<0.3"),
    ("django^0.0.3", "django>=0.0.3,<0.0.4"),
    ("django^0", "django>=0,<1"),
    ("django==^4", "django>=4,<5"),
    ("django ^4.2,<4.9", "django>=4.2,<5,<4.9"),
    ("django~4.2", "django>=4.2,<4.3"),
    ("django~4", "django>=4,<5"),
    ("django~>4.2.1", "django>=4.2.1,<4.3"),
    ("django ~ 4.2", "django>=4.2,<4.3"),
    ("django>=4.*", "django>=4"),
    ("django<5.x", "django<5"),
    ("django~=4.2.*", "django==4.2.*"),
    ("django==4.x", "django==4.*"),
    ("django==*", "django"),
    ("django latest", "django"),
    ("django any", "django"),
    ("django=*", "django"),
    ("django >=4 <5", "django >=4,<5"),
    ("django>=4 and <5", "django>=4,<5"),
    ("django>=4&&<5", "django>=4,<5"),
    ("django>=4,,<5", "django>=4,<5"),
    ("django>=", "django"),
    ("django==", "django"),
    ("django>=4; python_version<3.9", 'django>=4; python_version<"3.9"'),
    ("django; python-version < '3.9'", "django; python_version < '3.9'"),
    ("django; sys.platform = linux", 'django; sys_platform == "linux"'),
    ("django; os_name == nt && python_version >= 3", 'django; os_name == "nt" and python_version >= "3"'),
    ("django; extra in web", 'django; extra in "web"'),
    ("django; pythn_version > '3'", "django; python_version > '3'"),
    ("django; nope > '3'", ""),
    ("django; os_name == nt || python_version >= 3", 'django; os_name == "nt" or python_version >= "3"'),
    ("https://github.com/acme/six", "six @ git+https://github.com/acme/six"),
    ("https://github.com/acme/six.git@v1", "six @ git+https://github.com/acme/six.git@v1"),
    ("https://github.com/acme/six.git", "six @ git+https://github.com/acme/six.git"),
    (
        "git+https://x.example/a/six.git@v1#subdirectory=pkg",
        "six @ git+https://x.example/a/six.git@v1#subdirectory=pkg",
    ),
    ("git+https://x.example/a/six#egg=six&subdirectory=pkg", "six @ git+https://x.example/a/six#subdirectory=pkg"),
    ("https://x.example/six-1.0-py3-none-any.whl", "six @ https://x.example/six-1.0-py3-none-any.whl"),
    ("https://x.example/six-1.0.tar.gz#sha256=abc", "six @ https://x.example/six-1.0.tar.gz#sha256=abc"),
    ("https://x.example/files/six", ""),
    ("git@github.com:acme/six.git", "six @ git+ssh://git@github.com/acme/six.git"),
    ("ssh://git@github.com/acme/six.git", "six @ git+ssh://git@github.com/acme/six.git"),
    ("git+ssh://git@x.example/a/six.git@v1", "six @ git+ssh://git@x.example/a/six.git@v1"),
    ("https://u:p@gitlab.com/acme/six", ""),
    ("https://[x/six.git", ""),
    ("https://gitlab.com/acme/-six-", ""),
    ("file:///srv/six-1.0.tar.gz", "six @ file:///srv/six-1.0.tar.gz"),
    ("six\nidna", ""),
    ("six==1.0", ""),
    ("./six", ""),
]
SEVERAL = [
    ("six idna", ["six", "idna"]),
    ("six, idna>=1,<2", ["six", "idna>=1,<2"]),
    ("six\n- idna # x\n\n# only", ["six", "idna"]),
    ("six[a,b]", ["six[a,b]"]),
    ("six[a, b], idna", ["six[a, b]", "idna"]),
    ("six ==1", ["six ==1"]),
    ("six ; os_name == 'nt'", ["six ; os_name == 'nt'"]),
    ("six $", []),
    ("six, $", []),
    ("1 2", ["1==2"]),
    ("six,", ["six"]),
    ("six>=1, <2", ["six>=1, <2"]),
    ("", []),
    ("six=1", ["six==1"]),
]
PYTHONS = [
    ("py312", "3.12"),
    ("cp311", "3.11"),
    ("python3.12", "3.12"),
    ("cpython@3.12", "3.12"),
    ("v3.12", "3.12"),
    ("312", "3.12"),
    ("39", "3.9"),
    ("3123", ""),
    ("3.x", "3"),
    ("3.12.*", "3.12"),
    ("==3.12.*", "3.12"),
    ("3.12.x.x", "3.12"),
    ("3.12+", ">=3.12"),
    ("3.12 or newer", ">=3.12"),
    ("3.11 and up", ">=3.11"),
    ("3.9-3.12", ">=3.9,<3.13"),
    ("3.9..3.12", ">=3.9,<3.13"),
    ("3.9 to 3.11", ">=3.9,<3.12"),
    ("3.9 || 3.10", ">=3.9,<3.11"),
    ("3.9|3.10", ">=3.9,<3.11"),
    ("3.9 or 3.10", ">=3.9,<3.11"),
    ("= 3.12", "3.12"),
    ("=3.12", "3.12"),
    ("^3.11", ">=3.11,<4"),
    ("~3.11", ">=3.11,<3.12"),
    ("~=3.11", "~=3.11"),
    (">=3.11", ">=3.11"),
    (">=3.11 <3.13", ">=3.11,<3.13"),
    (">3.x", ">3"),
    ("!=", ""),
    ('"3.12"', "3.12"),
    ("3.12-dev", "3.12"),
    ("python3.12.exe", "3.12"),
    ("3.12t", "3.12"),
    ("3.12m", "3.12"),
    ("latest", ""),
    ("x 3.12", ""),
    ("", ""),
    ("3.12.1rc1", "3.12.1rc1"),
    ("pypy3.9", ""),
    ("12", ""),
    ("12.x", ""),
    ("3rc1", "3rc1"),
]
CONDA = "write its packages in `packages`: a conda file is not a requirements file"
FILES = [
    ("pyproject.toml", "", "write `project: {path: .}` instead, which installs the project"),
    ("app/pyproject.toml", "", "write `project: {path: app}` instead, which installs the project"),
    ("app\\setup.py", "", "write `project: {path: app}` instead, which installs the project"),
    ("setup.cfg", "", "write `project: {path: .}` instead, which installs the project"),
    ("uv.lock", "", "write `lock: {from: uv.lock}` instead, which installs what that lock has"),
    ("app/poetry.lock", "", "write `lock: {from: app/poetry.lock}` instead, which installs what that lock has"),
    ("Pipfile", "", "run `pipenv requirements > requirements.txt`, and write the path of that file"),
    ("Pipfile.lock", "", "run `pipenv requirements > requirements.txt`, and write the path of that file"),
    (
        "environment.yml",
        "dependencies: [python=3.12, pip, numpy=1.26, conda-forge::scipy, {pip: [six]}]",
        "write `packages: [numpy==1.26, scipy, six]` instead",
    ),
    (
        "environment.yaml",
        "dependencies: [setuptools, pip-tools, python-dateutil]",
        "write `packages: [pip-tools, python-dateutil]` instead",
    ),
    ("e.yml", "[a]", CONDA),
    ("e.yml", "dependencies: numpy", CONDA),
    ("e.yml", "dependencies: [{npm: [x]}]", CONDA),
    ("e.yml", "x: &a [1]\ndependencies: [numpy]", CONDA),
    ("e.yml", "dependencies: [numpy, '$$']", CONDA),
    ("e.yml", "a: [", CONDA),
    ("requirements.txt", "", ""),
    ("e.yml", f"dependencies: [{', '.join(f'package-number-{number}' for number in range(30))}]", CONDA),
    ("e.yml", f"{'#' * 100_000}\ndependencies: [numpy]", CONDA),
]
OLD = "<5"


@pytest.mark.parametrize(("text", "corrected"), REQUIREMENTS)
def test_a_requirement_is_corrected(text: str, corrected: str) -> None:
    assert corrected_requirement(text) == corrected


def test_only_a_short_text_is_corrected() -> None:
    assert corrected_requirement(f"six=={'1' * 193}, ") == f"six=={'1' * 193}"
    assert corrected_requirement(f"six=={'1' * 194}, ") == ""


@pytest.mark.parametrize(("text", "corrected"), [(" six ", ""), ("six,", "six"), ("six", "")])
def test_a_valid_one_is_only_returned_on_request(text: str, corrected: str) -> None:
    assert corrected_requirement(text, even_if_valid=False) == corrected


@pytest.mark.parametrize(("text", "found"), SEVERAL)
def test_several_requirements_in_one_text_are_divided(text: str, found: list[str]) -> None:
    assert split_requirements(text) == found


@pytest.mark.parametrize(
    ("items", "at", "whole"),
    [
        (("django>=4", OLD), 1, "django>=4,<5"),
        (("django>=4", OLD, "!=4.5", "six"), 1, "django>=4,<5,!=4.5"),
        (("django>=4", OLD, "!=4.5", "six"), 2, "django>=4,<5,!=4.5"),
        (("django>=4", OLD), 0, ""),
        ((OLD,), 0, ""),
        ((1, OLD), 1, ""),
        (("a b", OLD), 1, ""),
        (("django>=4", 1, OLD), 2, ""),
        (("django>=4", OLD, 1), 1, "django>=4,<5"),
        (("django>=4", *[OLD] * 10), 10, f"django>=4{',<5' * 10}"),
        (("django>=4", *[OLD] * 11), 11, ""),
    ],
)
def test_a_requirement_that_yaml_divided_is_joined(items: tuple[object, ...], at: int, whole: str) -> None:
    assert operators_of_lists(items, at) == whole


@pytest.mark.parametrize(("text", "corrected"), PYTHONS)
def test_a_python_is_corrected(text: str, corrected: str) -> None:
    assert corrected_python(text) == corrected


@pytest.mark.parametrize("text", ["3", "3rc1", "9.1", "3.15.0a1"])
def test_a_version_of_any_length_can_be_requested(text: str) -> None:
    assert validate_python(f" {text} ", Path("/")) == validate_matrix_python(f" {text} ") == text


@pytest.mark.parametrize("text", ["10", "12rc1", "312", "10.1"])
def test_no_python_has_a_major_version_above_nine(text: str) -> None:
    for validate in (lambda text: validate_python(text, Path("/")), validate_matrix_python):
        with pytest.raises(InvalidTextError, match=f"not a Python version: `{text}`"):
            validate(text)


@pytest.mark.parametrize(("name", "text", "hint"), FILES)
def test_a_file_of_another_tool_has_a_hint(name: str, text: str, hint: str) -> None:
    assert foreign_file_hint(name, text) == hint


@pytest.mark.parametrize(
    ("name", "hint"),
    [("1-OS_x", "rename it, for example to `os_x`"), ("1", ""), ("-A", "rename it, for example to `a`")],
)
def test_the_name_of_an_axis_starts_with_a_letter(name: str, hint: str) -> None:
    with pytest.raises(InvalidTextError) as caught:
        validate_axis_name(name)
    assert caught.value.hint == hint
