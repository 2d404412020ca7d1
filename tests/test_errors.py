"""Errors that build their own message or hint."""

import pytest

from reconciler.errors import (
    DamagedCacheError,
    EngineError,
    IndexFailureError,
    IndexSlowError,
    InterpreterError,
    InventoryError,
    RecordMismatchError,
)

REPORT = "require a different version of `six`, or report it to its author"


@pytest.mark.parametrize("kind", [IndexFailureError, *IndexFailureError.__subclasses__()])
def test_a_failure_of_an_index_has_the_hint_of_its_kind_unless_a_better_one_is_known(
    kind: type[IndexFailureError],
) -> None:
    error = kind("no answer", hint=None, details=("a line",))
    assert (error.message, error.hint, error.details) == ("no answer", kind.default_hint, ("a line",))
    assert kind("no answer", hint="call them").hint == "call them"
    hints = {each.default_hint for each in IndexFailureError.__subclasses__()} | {IndexFailureError.default_hint}
    assert len(hints) == len(IndexFailureError.__subclasses__()) + 1
    assert kind.default_hint in hints
    assert IndexSlowError.default_hint.startswith("try again later; ")


def test_a_cache_whose_files_stay_damaged_is_not_the_cause() -> None:
    error = DamagedCacheError(("six", "idna"), ("a line",))
    assert (error.message, error.details) == ("the cached files of `six`, `idna` cannot be used", ("a line",))
    assert error.hint == "require a different version of `six`, `idna`, or report it to its author"
    assert error.cached == error.packages == ("six", "idna")
    error.failed_again()
    assert error.message == "`six`, `idna` cannot be used, even after the cached files were deleted"
    other = EngineError("it failed", hint=None)
    other.failed_again()
    assert (other.message, other.cached) == ("it failed", ())


def test_an_error_keeps_the_facts_that_others_need() -> None:
    found = InterpreterError("none", hint=None, details=("a",), found=("3.11.7",), unused="it may be written")
    assert (found.details, found.found, found.unused) == (("a",), ("3.11.7",), "it may be written")
    inventory = InventoryError("/srv/inventory", "it is damaged")
    assert (inventory.message, inventory.problem, inventory.hint) == (
        "/srv/inventory: it is damaged",
        "it is damaged",
        None,
    )


@pytest.mark.parametrize(
    ("error", "message", "packages"),
    [
        (RecordMismatchError({"a.py": "six"}), "1 installed file differs from `RECORD`: `a.py`", ("six",)),
        (
            RecordMismatchError({"b.py": "six", "a.py": "idna"}, than="the lock"),
            "2 installed files differ from the lock: `a.py`, `b.py`",
            ("idna", "six"),
        ),
        (
            RecordMismatchError({"b.py": "six"}, outside={"/etc/b": "zeta", "/etc/a": "zeta"}),
            "`zeta` would install files outside the environment: `/etc/a`, `/etc/b`",
            ("six", "zeta"),
        ),
    ],
)
def test_files_that_differ_are_named_with_their_packages(
    error: RecordMismatchError, message: str, packages: tuple[str, ...]
) -> None:
    assert (error.message, error.packages) == (message, packages)
    named = ", ".join(f"`{each}`" for each in packages)
    assert error.hint == f"require a different version of {named}, or report it to its author"


FILES = {"a.py": "six"}
STOP = "find the program that changes files below the root, stop it, then run the command again"
FIRST = "1 installed file differs from `RECORD`: `a.py`"


@pytest.mark.parametrize(
    ("contents", "before", "changing", "message", "hint"),
    [
        ({"a.py": "00"}, None, False, FIRST, REPORT),
        (
            {"a.py": "00"},
            {"a.py": "00"},
            False,
            "`RECORD` in `six` does not match the package's own files: `a.py`",
            REPORT,
        ),
        ({"a.py": "00"}, {"a.py": "11"}, False, "files changed while the environment was built: `a.py`", STOP),
        ({"a.py": "00"}, {"a.py": "00"}, True, "files changed while the environment was built: `a.py`", STOP),
        ({}, {"a.py": "00"}, False, FIRST, REPORT),
        ({}, {}, False, FIRST, REPORT),
    ],
)
def test_a_second_difference_says_whether_the_package_or_a_program_is_the_cause(
    contents: dict[str, str], before: dict[str, str] | None, changing: bool, message: str, hint: str
) -> None:
    error = RecordMismatchError(FILES, contents=contents, changing=changing)
    error.explain(None if before is None else RecordMismatchError(FILES, contents=before))
    assert (error.message, error.hint) == (message, hint)


def test_files_outside_the_environment_need_no_explanation() -> None:
    error = RecordMismatchError(FILES, outside={"/etc/a": "six"}, contents={"a.py": "00"})
    message = error.message
    error.explain(RecordMismatchError(FILES, contents={"a.py": "11"}))
    assert error.message == message
