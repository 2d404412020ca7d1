"""docs/reliability.md has a section for every long suite, and each section can be replaced alone."""

import pytest

from tests.faults.document import DOCUMENT, SUITES, minutes_of, with_part
from tests.faults.full_disk import disk_operations


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


def test_the_suites_share_the_time_of_all_jobs() -> None:
    shares = minutes_of([*SUITES], 20, 2)
    assert sum(shares.values()) == pytest.approx(40)
    assert max(shares.values()) <= 20
    assert minutes_of(["rounds"], 3, 2) == {"rounds": 3}  # one suite cannot use two jobs


def test_the_page_says_what_each_operation_is() -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    assert [each.name for each in disk_operations("", "") if f"`{each.name}`" not in text] == []
