"""The sentences about findings: one for each kind, with paths and what is known about them."""

import pytest

from reconciler.observe.actual import Finding, FindingCode
from reconciler.render.finding_text import finding_sentences

ADDED, CHANGED, MISSING = FindingCode.FILE_ADDED, FindingCode.FILE_CHANGED, FindingCode.FILE_MISSING
RECORD = FindingCode.MISSING_RECORD


def found(code: FindingCode, path: str = "", detail: str = "", package: str = "") -> Finding:
    return Finding(code=code, path=path, detail=detail, package=package)


@pytest.mark.parametrize(
    ("findings", "sentences"),
    [
        ([], []),
        ([found(ADDED, "a.pth")], ["1 file added: a.pth"]),
        ([found(ADDED, "a.pth", "a new file")], ["1 file added: a.pth (a new file)"]),
        ([found(ADDED, "b", "x"), found(ADDED, "a", "x")], ["2 files added: a, b"]),
        ([found(MISSING, "a", "it is missing")], ["1 file missing: a"]),
        ([found(ADDED, "a"), found(CHANGED, "b")], ["1 file added: a", "1 file edited: b"]),
        ([found(RECORD, package="six")], ["six: RECORD is missing"]),
        ([found(RECORD, "six/RECORD", package="six")], ["six: RECORD is missing (six/RECORD)"]),
        ([found(RECORD, "six/RECORD", "gone", "six")], ["six: RECORD is missing (six/RECORD; gone)"]),
        ([found(RECORD, "", "gone", "six")], ["six: RECORD is missing (gone)"]),
        ([found(RECORD, "", "gone", "six"), found(RECORD, "", "lost", "six")], ["six: RECORD is missing"]),
        ([found(RECORD, package="a\x1b"), found(RECORD)], ["a\\x1b: RECORD is missing", "RECORD is missing"]),
    ],
)
def test_a_sentence_has_what_is_known(findings: list[Finding], sentences: list[str]) -> None:
    assert finding_sentences(findings) == sentences


def test_full_sentences_are_of_one_path() -> None:
    findings = [found(ADDED, "b", "x"), found(ADDED, "a", "y")]
    assert finding_sentences(findings, full=True) == ["1 file added: b (x)", "1 file added: a (y)"]
