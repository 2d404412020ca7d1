"""Every hint in the source is tried: tests/README.md, "Hints", says how to add a trial."""

import pkgutil
import re
from importlib import import_module
from pathlib import Path

import tests.hints
from tests.hints.collect import hints
from tests.hints.trials import TRIED, key, pattern

# Values that reach a hint and are not words of the source: what passes on a hint that is collected elsewhere.
PASSED_ON = {
    "engines/uv_errors.py": "uv's own hints, which are only searched and not printed",
    "manifest/validation_errors.py": "the hint of an `InvalidTextError`",
    "plan/document.py": "the description of a field",
    "plan/origin_filter.py": "a part of the hints of a plan",
    "targets.py": "the hint that `lock/resolve_all.py` returns",
}


def all_tried() -> dict[str, list[str]]:
    """Return the tests of each hint, by its key."""
    for module in pkgutil.iter_modules(tests.hints.__path__, "tests.hints."):
        import_module(module.name)
    return TRIED


def test_every_hint_has_a_trial() -> None:
    found = {key(each.module, each.template) for each in hints()[0]}
    missing = sorted(found - all_tried().keys())
    assert not missing, "no trial in tests/hints for:\n" + "\n".join(missing)


def test_every_trial_is_of_a_hint() -> None:
    found = {key(each.module, each.template) for each in hints()[0]}
    gone = {each: names for each, names in all_tried().items() if each not in found}
    assert not gone, "the source has no such hint:\n" + "\n".join(f"{each} ({names})" for each, names in gone.items())


def test_every_hint_could_be_followed_to_its_words() -> None:
    unknown = {each.module for each in hints()[1] if not each.module.startswith("render/")}  # shows what it is given
    assert unknown == PASSED_ON.keys(), sorted(str(each) for each in hints()[1])


def printed_in_cases() -> set[str]:
    """Return the hints in the expected output of cases and in docs/troubleshooting.md."""
    repository = Path(__file__).parents[2]
    files = [
        *(repository / "tests/cases/manifest").rglob("*.expected"),
        *(repository / "tests/cases").rglob("expected.txt"),
    ]
    files.append(repository / "docs/troubleshooting.md")
    texts = (each.read_text(encoding="utf-8") for each in files)
    return {found for text in texts for found in re.findall(r"^ *hint: (.+)$", text, re.MULTILINE)}


def test_every_hint_that_a_case_prints_was_found_in_the_source() -> None:
    """The collection is complete: what is printed comes from a hint that it found."""
    patterns = [pattern(key(each.module, each.template)) for each in hints()[0]]
    printed = printed_in_cases()
    assert len(printed) > 80
    lost = sorted(each for each in printed if not any(one.fullmatch(each) for one in patterns))
    assert not lost, lost
