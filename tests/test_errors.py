"""Errors that write their own message or hint, and the facts that an error keeps for its callers."""

import pytest

from reconciler.errors import (
    DamagedCacheError,
    EngineError,
    FileDamagedError,
    FileGoneError,
    IndexFailureError,
    IndexForbiddenError,
    IndexServerError,
    IndexSlowError,
    IndexTruncatedError,
    IndexUnreachableError,
    InterpreterError,
    InventoryError,
    RecordMismatchError,
)

REPORT = "require a different version of `six`, or report it to its author"
HINTS = {
    IndexFailureError: "ask the operator of the index",
    IndexForbiddenError: (
        "keep credentials out of files: set `UV_INDEX_<NAME>_USERNAME`, `UV_INDEX_<NAME>_PASSWORD` and "
        "`UV_INDEX_<NAME>_HOST`, or use netrc"
    ),
    IndexUnreachableError: "check the index's URL, the network, and the proxy variables",
    IndexSlowError: "try again later; the index, or a proxy in front of it, does not answer in time",
    IndexTruncatedError: "try again; if it happens again, a proxy or the index truncates answers",
    IndexServerError: "try again later; the error is on the index's side",
    FileDamagedError: "try again; if it happens again, the file is damaged on the index or by a proxy",
    FileGoneError: "check the URL; for a file that a lock names, `envsync lock --upgrade-package NAME` finds a new one",
}


@pytest.mark.parametrize("kind", [IndexFailureError, *IndexFailureError.__subclasses__()])
def test_a_failure_of_an_index_has_the_hint_of_its_kind_unless_a_better_one_is_known(
    kind: type[IndexFailureError],
) -> None:
    error = kind("no answer", hint=None, details=("a line",))
    assert (error.message, error.hint, error.details) == ("no answer", HINTS[kind], ("a line",))
    assert kind("no answer", hint="call them").hint == "call them"


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


def test_an_error_keeps_its_facts() -> None:
    found = InterpreterError("none", hint=None, details=("a",), found=("3.11.7",), unused="it may be written")
    assert (found.details, found.found, found.unused) == (("a",), ("3.11.7",), "it may be written")
    inventory = InventoryError("/srv/inventory", "it is damaged")
    assert (inventory.message, inventory.problem, inventory.hint) == (
        "/srv/inventory: it is damaged",
        "it is damaged",
        None,
    )


@pytest.mark.parametrize(
    ("error", "message", "packages", "named"),
    [
        (RecordMismatchError({"a.py": "six"}), "1 installed file differs from `RECORD`: `a.py`", ("six",), "`six`"),
        (
            RecordMismatchError({"b.py": "six", "a.py": "idna"}, than="the lock"),
            "2 installed files differ from the lock: `a.py`, `b.py`",
            ("idna", "six"),
            "`idna`, `six`",
        ),
        (
            RecordMismatchError({"b.py": "six"}, outside={"/etc/b": "zeta", "/etc/a": "zeta"}),
            "`zeta` would install files outside the environment: `/etc/a`, `/etc/b`",
            ("six", "zeta"),
            "`six`, `zeta`",
        ),
    ],
)
def test_files_that_differ_are_named_with_their_packages(
    error: RecordMismatchError, message: str, packages: tuple[str, ...], named: str
) -> None:
    assert (error.message, error.packages) == (message, packages)
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
    error.explain(RecordMismatchError(FILES, contents={"a.py": "11"}))
    assert error.message == "`six` would install files outside the environment: `/etc/a`"
