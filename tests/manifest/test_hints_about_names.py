"""The known name that was most likely meant by an unknown one, and the hint about it."""

import pytest

from reconciler.manifest.hints import closest_match, did_you_mean, known_names_hint
from reconciler.manifest.validation_errors import meant_key


@pytest.mark.parametrize(
    ("word", "known", "match"),
    [
        ("pakages", ["packages", "python"], "packages"),
        ("PACKAGES", ["packages"], "packages"),
        ("exclude-newer", ["exclude_newer"], "exclude_newer"),
        ("dep", ["depends_on", "python"], "depends_on"),
        ("d", ["depends_on"], None),
        ("de", ["depends_on", "description"], None),
        ("xyz", ["packages"], None),
        ("a" * 200, ["a" * 200], "a" * 200),
        ("a" * 201, ["a" * 201], None),
        ("a" * 200, ["a" * 201], None),
        ("web", [*(f"{each:03}" for each in range(300)), "webs"], None),
        ("web", [*(f"{each:03}" for each in range(299)), "webs"], "webs"),
    ],
)
def test_the_closest_name_is_a_misspelling_or_an_abbreviation(word: str, known: list[str], match: str | None) -> None:
    assert closest_match(word, known) == match
    assert did_you_mean(word, known) == (f"did you mean `{match}`?" if match else "")


@pytest.mark.parametrize(
    ("known", "hint"),
    [
        ([], "define it first, or leave it out: no templates are defined"),
        (["b", "base"], "did you mean `base`?"),
        (["y", "x"], "use one of the templates: `x`, `y`"),
    ],
)
def test_the_hint_for_an_unknown_name_is_the_closest_or_all(known: list[str], hint: str) -> None:
    assert known_names_hint("bases", known, noun="templates") == hint


@pytest.mark.parametrize(
    ("key", "known", "meant"),
    [
        ("Dev-Dependencies", ["packages"], "packages"),
        ("dependencies", ["depends_on"], "depends_on"),
        ("pyton", ["python"], "python"),
        ("zzz", ["python"], ""),
    ],
)
def test_an_unknown_key_means_a_known_one_with_a_similar_name_or_the_same_purpose(
    key: str, known: list[str], meant: str
) -> None:
    assert meant_key(key, known) == meant
