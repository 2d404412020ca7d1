"""docs/reliability.md has a section for every long suite, and each section can be replaced alone."""

import pytest

from tests.faults.document import DOCUMENT, SUITES, with_part


@pytest.mark.parametrize("name", SUITES)
def test_a_section_is_replaced_and_the_rest_is_kept(name: str) -> None:
    before = DOCUMENT.read_text(encoding="utf-8")
    after = with_part(before, name, "| a \\1 table |\n\n")
    head, _, tail = after.partition("| a \\1 table |\n")
    assert before.startswith(head)
    assert before.endswith(tail)
    assert with_part(after, name, "| a \\1 table |") == after


def test_an_unknown_section_is_refused() -> None:
    with pytest.raises(ValueError, match="must have the section nowhere once"):
        with_part(DOCUMENT.read_text(encoding="utf-8"), "nowhere", "")
