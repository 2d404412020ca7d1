"""Names and values in messages: readable whatever they contain, and without secrets."""

import pytest

from reconciler.backticks import in_backticks, list_in_backticks
from reconciler.errors import UsageError
from reconciler.render.error_text import render_error
from reconciler.render.style import Palette


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("web", "`web`"),
        ("", '`""`'),
        ("a b", "`a b`"),
        ("it's", "`it's`"),
        ("a`b", "`` a`b ``"),
        ("`", "`` ` ``"),
        ("x" * 200, f"`{'x' * 200}`"),
        ("x" * 201, f"`{'x' * 200}...`"),
        ("https://me:secret@index.example", "`https://****@index.example`"),
        (f"https://me:{'s' * 300}@index.example", "`https://****@index.example`"),
        ("https://index.example/?token=secret", "`https://index.example/?token=****`"),
    ],
)
def test_a_value_is_quoted_so_that_it_can_be_read(text: str, shown: str) -> None:
    assert in_backticks(text) == shown


@pytest.mark.parametrize(
    ("names", "shown"),
    [
        ([], ""),
        (["web"], "`web`"),
        (["web", "api"], "`web`, `api`"),
        (["a"] * 10, ", ".join(["`a`"] * 10)),
        (["a"] * 12, ", ".join(["`a`"] * 10) + " and 2 more"),
    ],
)
def test_a_list_names_the_first_ten(names: list[str], shown: str) -> None:
    assert list_in_backticks(iter(names)) == shown


def test_the_output_escapes_what_a_value_contains() -> None:
    name = in_backticks("a\nb\x1b[31m`")
    error = UsageError(f"no environment named {name}", hint=None)
    assert render_error(error, Palette.plain()) == "error: no environment named `` a\\nb\\x1b[31m` ``\n"
