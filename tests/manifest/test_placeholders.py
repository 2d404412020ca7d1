"""Placeholders in the texts of an environment with a matrix: what replaces them, and the error for any other brace."""

from collections.abc import Callable, Mapping

import pytest

from reconciler.manifest.invalid_text import InvalidTextError
from reconciler.manifest.placeholders import (
    has_placeholder,
    is_requirement,
    normalize_package,
    replace_in_requirement,
    replace_placeholders,
    used_axes,
)

VALUES = {"python": "3.12", "django": "4.2"}
Replace = Callable[[str, Mapping[str, str]], str]


@pytest.mark.parametrize(
    ("replace", "text", "values", "result"),
    [
        (replace_placeholders, "on {python} with {django}", VALUES, "on 3.12 with 4.2"),
        (replace_placeholders, "{{python}} {{}} }}{{", VALUES, "{python} {} }{"),
        (replace_placeholders, "plain", VALUES, "plain"),
        (replace_placeholders, '{"a": 1}', {"python": "3.12"}, '{"a": 1}'),
        (replace_placeholders, "{{}} on {python}", {"python": "3.12"}, "{} on 3.12"),
        (replace_in_requirement, "django=={django}.*", VALUES, "django==4.2.*"),
        (replace_in_requirement, "six; python_version < '{python}'", VALUES, "six; python_version < '3.12'"),
        (replace_in_requirement, "six", {"python": "3.12"}, "six"),
    ],
)
def test_a_placeholder_is_replaced_by_the_value_of_its_axis(
    replace: Replace, text: str, values: Mapping[str, str], result: str
) -> None:
    assert replace(text, values) == result


@pytest.mark.parametrize(
    ("text", "wrong", "message", "hint"),
    [
        ("on {pyton}", "pyton", "no axis named `pyton` in the matrix", "did you mean `python`?"),
        ("{os} x", "os", "no axis named `os` in the matrix", "use one of the axes: `django`, `python`"),
        ("a { b", "{", "a brace outside a placeholder: `{`", "did you mean `a {{ b`?"),
        ("a } {python}", "}", "a brace outside a placeholder: `}`", "did you mean `a }} {python}`?"),
        ("{ python }", "{ python }", "not a placeholder: `{ python }`", "did you mean `{python}`?"),
        ("{django!r}", "{django!r}", "not a placeholder: `{django!r}`", "did you mean `{django}`?"),
        ("{django:>3} {{x}}", "{django:>3}", "not a placeholder: `{django:>3}`", "did you mean `{django} {{x}}`?"),
        ("{Os}", "{Os}", "not a placeholder: `{Os}`", "did you mean `{{Os}}`?"),
        ("{}", "{}", "not a placeholder: `{}`", "did you mean `{{}}`?"),
        ("{" + "x" * 197, "{", "a brace outside a placeholder: `{`", f"did you mean `{{{{{'x' * 197}`?"),
        ("{" + "x" * 199, "{", "a brace outside a placeholder: `{`", "write `{{` and `}}` for braces"),
    ],
)
def test_any_other_brace_is_an_error_with_its_place(text: str, wrong: str, message: str, hint: str) -> None:
    with pytest.raises(InvalidTextError) as caught:
        replace_placeholders(text, VALUES)
    error = caught.value
    assert (error.message, error.hint) == (message, hint)
    assert error.offset is not None
    assert text[error.offset : error.offset + error.width] == wrong


@pytest.mark.parametrize(
    ("text", "found", "axes"),
    [
        ("django=={django}.*", True, {"django"}),
        ("{a} {b-c_1} {{d}} { e } {F}", True, {"a", "b-c_1"}),
        ("${HOME} ${home} {{x}}", False, {"home"}),
        ("{}", False, set()),
        ("x", False, set()),
    ],
)
def test_placeholders_are_found(text: str, *, found: bool, axes: set[str]) -> None:
    assert (has_placeholder(text), set(used_axes(text))) == (found, axes)


@pytest.mark.parametrize(("text", "valid"), [("Six >= 1", True), ("six=={django}.*", False), ("six=1", False)])
def test_a_text_may_be_a_requirement_without_a_replacement(text: str, *, valid: bool) -> None:
    assert is_requirement(text) is valid


def test_a_package_with_a_placeholder_is_normalized_once_that_is_replaced() -> None:
    assert normalize_package("Six >= 1") == "six>=1"
    assert normalize_package("Six == {django}.*") == "Six == {django}.*"
    with pytest.raises(InvalidTextError, match="credentials in a URL"):
        normalize_package("six @ https://u:p@x.example/{django}")
    with pytest.raises(InvalidTextError, match="not a valid requirement"):
        normalize_package("Six = 1")
