"""The names in a manifest: which are valid, and the hint for the others."""

from collections.abc import Callable

import pytest

from reconciler.manifest import names
from reconciler.manifest.invalid_text import InvalidTextError

LONG = "a" * 100
NAME = "not a valid name: use lower-case letters, digits, `-` and `_`, and start with a letter or digit"
PROJECT = "not a valid name: use lower-case letters, digits and `-`, and start with a letter or digit"
TOO_LONG = "not a valid name: it is longer than 100 characters"
EXTRA = "not a valid name: use letters, digits, `.`, `-` and `_`, and start and end with a letter or digit"
VARIABLE = "not a valid variable name: use letters, digits and `_`, and do not start with a digit"
LABEL = "not a valid label name: use letters, digits and `. _ / -`, and start and end with a letter or digit"
WILDCARDS = "write a package name; `*` and `?` are the only wildcards"
RELATIVE = "write a pattern relative to the environment, for example `share/**`"
MODULE = "write it as in an `import` statement, for example `acme.settings`"
AXIS = "not a valid name: use lower-case letters, digits, `-` and `_`, and start with a letter"
AXIS_VALUE = "not a valid value: use letters, digits and `. _ + -`, and start and end with a letter or digit"
ONLY_DIFFERENT = (
    "write only what differs, for example `4.2`, and the rest in `packages`, for example `django~={django}.0`"
)
VALID: list[tuple[Callable[[str], str], str, str]] = [
    (names.validate_name, "web_1-a", "web_1-a"),
    (names.validate_name, LONG, LONG),
    (names.validate_project_id, "acme-1", "acme-1"),
    (names.validate_package_name, "Some_Thing.x", "some-thing-x"),
    (names.validate_extra_name, "Db_X", "db-x"),
    (names.validate_package_pattern, "Acme_*.?", "acme-*-?"),
    (names.validate_file_pattern, "share/**", "share/**"),
    (names.validate_file_pattern, "a..b/...", "a..b/..."),
    (names.validate_variable_name, "_A1", "_A1"),
    (names.validate_label_name, "a.b/c-d_E", "a.b/c-d_E"),
    (names.validate_module_name, "acme._settings.x1", "acme._settings.x1"),
    (names.validate_axis_name, "py-1_x", "py-1_x"),
    (names.validate_axis_value, "4.2+x-1_a", "4.2+x-1_a"),
    (names.validate_build_variable_name, "CFLAGS", "CFLAGS"),
    (names.validate_build_variable_name, "from_env", "from_env"),
    (names.validate_build_variable_name, "PIP", "PIP"),
]
INVALID: list[tuple[Callable[[str], str], str, str, str]] = [
    (names.validate_name, "Web Site", NAME, "rename it, for example to `web-site`"),
    (names.validate_name, "_a_", NAME, "rename it, for example to `a`"),
    (names.validate_name, "A" * 100, NAME, f"rename it, for example to `{LONG}`"),
    (names.validate_name, "A" * 101, NAME, ""),
    (names.validate_name, "a" * 101, TOO_LONG, ""),
    (names.validate_name, "!", NAME, ""),
    (names.validate_project_id, "acme_x", PROJECT, "rename it, for example to `acme-x`"),
    (names.validate_package_name, "six==1", "not a valid package name", "write only the name, without a version"),
    (names.validate_extra_name, "-a", EXTRA, ""),
    (names.validate_package_pattern, "a[bc]", "not a valid pattern for package names", WILDCARDS),
    *(
        (names.validate_file_pattern, text, "not a valid pattern for files", RELATIVE)
        for text in (" ", "/a", "a\\b", "a/..")
    ),
    (names.validate_variable_name, "1A", VARIABLE, ""),
    *(
        (names.validate_variable_name, text, f"`{text}` is reserved: envsync sets or removes it", "remove it")
        for text in ("PATH", "PYTHONHOME", "VIRTUAL_ENV")
    ),
    *(
        (
            names.validate_build_variable_name,
            text,
            f"`{text}` is reserved: it would change which programs and packages a build uses",
            "remove it; `indexes`, `constraints` and `python` choose these",
        )
        for text in ("HOME", "TMPDIR", "PYTHONPATH", "UV_INDEX", "PIP_X", "LD_PRELOAD", "DYLD_X", "ENVSYNC_X")
    ),
    (names.validate_build_variable_name, "PATH", "`PATH` is reserved: envsync sets or removes it", "remove it"),
    (names.validate_build_variable_name, "a b", VARIABLE, ""),
    (names.validate_axis_name, "3_Py", AXIS, "rename it, for example to `py`"),
    (names.validate_axis_name, "3", AXIS, ""),
    (names.validate_axis_value, "django~=4", AXIS_VALUE, ONLY_DIFFERENT),
    (names.validate_label_name, "-a", LABEL, ""),
    (names.validate_module_name, "a-b", "not a valid module name", MODULE),
    (names.validate_module_name, "a..b", "not a valid module name", MODULE),
]


@pytest.mark.parametrize(("validate", "text", "result"), VALID)
def test_a_valid_name_is_returned_in_its_normal_form(validate: Callable[[str], str], text: str, result: str) -> None:
    assert validate(text) == result


@pytest.mark.parametrize(("validate", "text", "message", "hint"), INVALID)
def test_an_invalid_name_has_a_message_and_a_hint(
    validate: Callable[[str], str], text: str, message: str, hint: str
) -> None:
    with pytest.raises(InvalidTextError) as caught:
        validate(text)
    assert (caught.value.message, caught.value.hint) == (message, hint)


@pytest.mark.parametrize(
    ("host", "name"), [("Pypi.Example.org:8080", "pypi-example-org-8080"), ("[::1]", "1"), ("---", "")]
)
def test_an_index_is_named_after_its_host(host: str, name: str) -> None:
    assert names.name_of_host(host) == name
