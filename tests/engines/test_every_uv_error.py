"""Every error that uv's output can mean: its class, words and hint, with uv's own lines as details."""

from pathlib import Path

import pytest
import yaml

from reconciler import errors
from reconciler.engines.uv_errors import uv_error
from reconciler.engines.uv_index_errors import KnownIndexes
from reconciler.manifest.desired import Index
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


OWN = Index(name="own", url="https://own.example/simple", packages=("acme-*",))
MORE = Index(name="more", url="https://more.example/simple", packages=("acme-*",))
OTHER = Index(name="other", url="https://other.example/simple")
NONE = "no set of packages satisfies the requirements", "loosen one of the requirements or constraints named above"

FURTHER = (
    "hint: `six` was found on https://own.example/simple, but not at the requested version (six==9). A compatible "
    "version may be available on a subsequent index"
)


@pytest.mark.parametrize(
    ("cause", "indexes", "message", "hint"),
    [
        (
            "Because uv finds no versions of Acme_Site and you require Acme_Site, it is unsatisfiable.",
            (OWN, OTHER),
            "package `Acme_Site` was not found on `own`, the index that it is pinned to",
            "publish it there, or change the `packages` of `own`",
        ),
        (
            "Because acme-site was not found in the package registry, it is unsatisfiable.",
            (OWN, MORE),
            "package `acme-site` was not found on `own`, `more`, the index that it is pinned to",
            "publish it there, or change the `packages` of `own`, `more`",
        ),
        (
            "Because uv finds no versions of acme-b and uv finds no versions of acme-a, it is unsatisfiable.",
            (OWN,),
            "packages `acme-a`, `acme-b` were not found on any index",
            "correct the name, or add the index that has it to `indexes`",
        ),
        (
            "Because six was not found in the package registry, it is unsatisfiable.",
            (OWN,),
            "package `six` was not found on any index",
            "correct the name, or add the index that has it to `indexes`",
        ),
        ("Because uv finds no versions of six and you require six, it is unsatisfiable.", (OWN, OTHER), *NONE),
        ("Because uv finds no versions of acme-site>2 and you require it, it is unsatisfiable.", (OWN,), *NONE),
        (
            f"it is unsatisfiable.\n\n{FURTHER}",
            (OWN, OTHER),
            NONE[0],
            "the first index that has a package decides: change the order of `indexes`, or pin it with `packages`",
        ),
    ],
)
def test_a_package_that_its_index_lacks_is_named_with_that_index(
    cause: str, indexes: tuple[Index, ...], message: str, hint: str
) -> None:
    text = f"error: No solution found when resolving dependencies:\n  cause: {cause}"
    error = error_of(text, known=KnownIndexes(indexes=indexes, variables=frozenset()))
    assert (error.message, error.hint) == (message, hint)
    assert [*error.details] == [each for each in text.split("\n") if each]


def test_a_failed_build_knows_the_packages_whose_cached_sources_may_be_damaged() -> None:
    text = "error: Failed to build `b==1`\n  cause: Failed to download and build `a @ git+https://git.example/a`"
    error = error_of(text)
    assert isinstance(error, errors.BuildFailedError)
    assert error.cached == ("a", "b")


def test_only_an_error_of_the_file_system_is_one_of_this_machine() -> None:
    first = "error: a\n  cause: b (os error 2)\n  cause: c"
    assert error_of(first).hint == "fix the problem that the output above shows, then run the command again"
    hint = error_of(f"{first} (os error 28)").hint
    assert hint == error_of("error: c (os error 28)").hint
    assert hint != error_of(first).hint
    assert error_of("  cause: without an error").message == "`uv pip compile` failed with exit code 2"


def error_of(
    text: str,
    command: tuple[str, ...] = ("pip", "compile"),
    *,
    timed_out: bool = False,
    known: KnownIndexes | None = None,
) -> errors.EnvsyncError:
    done = Completed(argv=("uv",), returncode=2, stdout=b"", stderr=text.encode(), timed_out=timed_out)
    return uv_error(list(command), done, 7, secrets=(), known=known)
