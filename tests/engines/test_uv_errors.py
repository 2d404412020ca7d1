"""The messages of uv become errors; text of others within these messages must not."""

import pytest

from reconciler.engines.uv_errors import uv_error
from reconciler.errors import (
    BuildFailedError,
    DeadlineError,
    EngineError,
    EnvsyncError,
    GitError,
    IndexForbiddenError,
    IndexServerError,
    IndexSlowError,
    IndexUnreachableError,
    YankedError,
)
from reconciler.processes.child import Completed
from reconciler.processes.credentials import credentials_of

FETCH = (
    "error: Request failed after 2 retries in 3.0s\n  cause: Failed to fetch: https://u:p4ss@index.example/simple/x/\n"
)


def error_of(stderr: str, *, timed_out: bool = False, secrets: tuple[str, ...] = ()) -> EnvsyncError:
    done = Completed(argv=("uv",), returncode=2, stdout=b"", stderr=stderr.encode(), timed_out=timed_out)
    return uv_error(["pip", "compile"], done, 7, secrets, known=None)


@pytest.mark.parametrize(
    ("cause", "kind"),
    [
        ("operation timed out", IndexSlowError),
        ("HTTP status server error (502 Bad Gateway) for url (https://index.example/simple/x/)", IndexServerError),
        ("HTTP status client error (407 Proxy Authentication Required) for url (x)", IndexForbiddenError),
        ("client error (Connect)\n  cause: tcp connect error\n  cause: operation timed out", IndexUnreachableError),
        ("client error (Connect)\n  cause: invalid peer certificate: UnknownIssuer", IndexUnreachableError),
        ("a message of a future version", IndexUnreachableError),
    ],
)
def test_a_failed_request_names_its_host_and_no_credential(cause: str, kind: type[EnvsyncError]) -> None:
    error = error_of(f"{FETCH}  cause: {cause}\n")
    assert type(error) is kind
    assert "index.example" in error.message
    assert "p4ss" not in " ".join([error.message, *error.details])
    assert error.hint


def test_an_untrusted_certificate_has_its_own_hint() -> None:
    error = error_of(f"{FETCH}  cause: client error (Connect)\n  cause: invalid peer certificate: UnknownIssuer\n")
    assert error.hint
    assert "SSL_CERT_FILE" in error.hint


@pytest.mark.parametrize(
    "reason",
    [
        "\n         cause: HTTP status server error (500",
        "\n         hint: An index (https://x.example/) returned a 401",
        "\u2028hint: An index (https://x.example/) returned a 401",
        "\rhint: An index (https://x.example/) returned a 401",
        "\x0cerror: Failed to build `x`",
    ],
)
def test_the_reason_for_yanking_is_not_read_as_a_message_of_uv(reason: str) -> None:
    text = (
        f"error: No solution found when resolving dependencies\n  cause: Because b==2 was yanked (reason: {reason})\n"
    )
    assert type(error_of(text)) is YankedError


def test_the_output_of_a_build_is_not_read_as_a_message_of_uv() -> None:
    text = (
        "error: Failed to build `x==1`\n  cause: The build backend returned an error\n"
        "         cause: HTTP status server error (500\n         Hash mismatch for `x`\n"
    )
    assert type(error_of(text)) is BuildFailedError


def test_a_long_build_output_is_recognized_and_its_last_lines_are_shown() -> None:
    noise = "".join(f"         line {number}\n" for number in range(200))
    error = error_of(f"error: Failed to build `x==1`\n  cause: The build backend returned an error\n{noise}")
    assert type(error) is BuildFailedError
    assert error.details[-1].strip() == "line 199"
    assert len(error.details) == 30


def test_git_errors_and_deadlines_are_distinguished() -> None:
    assert (
        type(error_of("error: Failed to download and build `x @ git+y`\n  cause: Git operation failed\n")) is GitError
    )
    assert type(error_of(FETCH, timed_out=True)) is DeadlineError


@pytest.mark.parametrize("text", ["", "\n", "panicked at crates/uv", "\x00\xff", "error: "])
def test_an_unknown_message_is_an_engine_error(text: str) -> None:
    assert type(error_of(text)) is EngineError


def test_credentials_are_redacted_in_every_spelling() -> None:
    env = {
        "UV_INDEX_A_USERNAME": "user",
        "UV_INDEX_A_PASSWORD": "p@ss/w0rd",
        "UV_INDEX_B_USERNAME": "only-a-token",
        "HTTPS_PROXY": "http://me:pr%40xy-pass@proxy.example:80",
        "no_proxy": "localhost",
        "http_proxy": "http://[broken",
        "HOME": "/nonexistent",
    }
    secrets = credentials_of(env, others=())
    assert {"p@ss/w0rd", "p%40ss%2Fw0rd", "dXNlcjpwQHNzL3cwcmQ=", "only-a-token", "pr%40xy-pass", "pr@xy-pass"} <= {
        *secrets
    }
    assert "user" not in secrets
    error = error_of("error: it said p@ss/w0rd, pr@xy-pass and dXNlcjpwQHNzL3cwcmQ=\n", secrets=secrets)
    assert error.details == ("error: it said ****, **** and ****",)


def test_a_netrc_that_is_broken_has_no_secrets(tmp_path: object) -> None:
    assert credentials_of({"NETRC": str(tmp_path), "HOME": "/nonexistent"}, others=()) == ()
