"""Every error that uv's output can mean: its class, words and hint, with uv's own lines as details."""

from pathlib import Path

import pytest
import yaml

from reconciler import errors
from reconciler.engines.uv_errors import uv_error
from reconciler.processes.child import Completed

CASES = Path(__file__).parent.parent / "cases" / "engines" / "uv-errors.yaml"


@pytest.mark.parametrize("case", yaml.safe_load(CASES.read_text(encoding="utf-8")))
def test_uv_s_words_become_an_error_with_a_hint(case: dict[str, str]) -> None:
    error = error_of(f"Using Python 3.12\n{case['output']}")
    assert (type(error).__name__, error.message, error.hint) == (case["error"], case["message"], case["hint"])
    assert error.details == tuple(case["output"].replace("u:p@", "****@").splitlines())


@pytest.mark.parametrize("command", [("pip", "sync"), ("pip", "compile")])
def test_a_damaged_file_of_the_cache_is_named_after_an_installation(command: tuple[str, ...]) -> None:
    text = "error: Failed to install: b-1.whl (b==1)\n  cause: Failed to install: a-1.whl (a==1)"
    error = error_of(text, command)
    if command == ("pip", "sync"):
        assert isinstance(error, errors.DamagedCacheError)
        assert error.packages == ("a", "b")
        assert error.message == "the cached files of `a`, `b` cannot be used"
        assert error.hint == "require a different version of `a`, `b`, or report it to its author"
        error.failed_again()
        assert error.message == "`a`, `b` cannot be used, even after the cached files were deleted"
    else:
        assert type(error) is errors.EngineError
    assert error.details == tuple(text.splitlines())


def test_a_run_that_does_not_end_has_its_time_and_its_last_lines() -> None:
    error = error_of("error: Request failed\n", timed_out=True)
    assert type(error) is errors.DeadlineError
    assert error.message == "`uv pip compile` did not finish within 7 seconds"
    assert error.hint == "allow more time with `--timeout`"
    assert error.details == ("error: Request failed",)


def error_of(
    text: str, command: tuple[str, ...] = ("pip", "compile"), *, timed_out: bool = False
) -> errors.EnvsyncError:
    done = Completed(argv=("uv",), returncode=2, stdout=b"", stderr=text.encode(), timed_out=timed_out)
    return uv_error(list(command), done, 7, secrets=(), known=None)
