"""Every regular expression of the package takes time in proportion to the length of the text, or the text is short.

A new expression is found by itself. If it is too slow, bound its repeats (`{0,100}`), make them possessive (`*+`), or
let its module refuse long texts and add the longest to `LONGEST`.
"""

import re
from functools import partial

import pytest

from tests.bounded.growth import is_linear
from tests.bounded.patterns import Use, unknown, uses
from tests.bounded.pumped import pumped

LENGTH = 1500
QUICK_SECONDS = 0.004  # quadratic work takes some ten milliseconds at that length
MOST_SECONDS = 3.0  # of processor time
# The longest text, in characters, that these modules match with their slow expressions, and what bounds it.
LONGEST = {
    "manifest/requirement.py": 1000,  # _LONGEST_WITH_HINT
    "manifest/requirement_corrections.py": 1000,  # _LONGEST_LIST, and _LONGEST
    "manifest/times.py": 100,  # _LONGEST
    "manifest/yaml_mistakes.py": 1000,  # _LONGEST
    "render/markdown/escape.py": 1000,  # MAX_PROSE_LENGTH
}
SHORT_SECONDS = 0.5
# Expressions in a tuple, which are only matched at one place and never searched.
ONLY_MATCHED = {"manifest/toml_places.py"}
# These depend on what a function is given. All but the globs and ignore patterns are called with constants above, or
# with a text without repeats; `tests.bounded` reads globs and ignore files.
BUILT = {
    "engines/uv_indexes.py",
    "lock/ignore_patterns.py",
    "manifest/names.py",
    "manifest/requirement_corrections.py",
    "manifest/wrong_type_hints.py",
    "observe/environment.py",
    "observe/ignore_globs.py",
}


def match(use: Use, text: str) -> None:
    subject = text.encode("utf-8", "replace") if isinstance(use.pattern.pattern, bytes) else text
    found = getattr(use.pattern, use.function)(subject)
    if use.function == "finditer":
        for _ in found:
            pass


def slow_text(use: Use) -> str:
    """Return the beginning and the end of a text that an expression needs too much time for, or an empty string."""
    if use.place in ONLY_MATCHED and use.function != "match":
        return ""
    longest = LONGEST.get(use.place)
    quick = SHORT_SECONDS if longest else QUICK_SECONDS
    length = longest or LENGTH
    for number, text in enumerate(pumped(use.pattern, length)):

        def make(length: int, number: int = number) -> str:
            return next(each for at, each in enumerate(pumped(use.pattern, length)) if at == number)

        if not is_linear(partial(match, use), make, length=length, quick=quick, most=MOST_SECONDS):
            return f"{text[:40]!r} ... {text[-5:]!r}"
    return ""


@pytest.mark.parametrize("use", uses(), ids=str)
def test_it_takes_linear_time(use: Use) -> None:
    assert slow_text(use) == ""


def test_the_expressions_that_are_built_are_known() -> None:
    assert {each.partition(":")[0] for each in unknown()} == BUILT


def test_the_bounded_modules_exist() -> None:
    assert {*LONGEST, *ONLY_MATCHED} <= {each.place for each in uses()}


@pytest.mark.parametrize("pattern", [r"\s*a", r"(?:a|aa)*b"])
def test_a_slow_expression_is_noticed(pattern: str) -> None:
    expression = re.compile(pattern)
    functions = ("finditer", "fullmatch")
    assert any(slow_text(Use("an example", expression, each)) for each in functions)
