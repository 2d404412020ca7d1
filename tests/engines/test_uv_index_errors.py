"""What each failure of an index becomes: the kind of error, its message with the host, its hint, and the details."""

import pytest

from reconciler.engines.uv_index_errors import KnownIndexes, uv_index_error
from reconciler.errors import (
    FileDamagedError,
    FileGoneError,
    IndexFailureError,
    IndexForbiddenError,
    IndexServerError,
    IndexSlowError,
    IndexTruncatedError,
    IndexUnreachableError,
)
from reconciler.manifest.desired import Index

FETCH = "Failed to fetch: https://user:secret@index.example:8443/simple/six/"
HOST = "`index.example:8443`"
DETAILS = ("one", "two")
CERTIFICATE = "set `SSL_CERT_FILE` to the absolute path of the certificates to trust"


def status(number: int) -> str:
    return f"HTTP status client error ({number} Whatever) for url (https://index.example:8443/simple/six/)"


@pytest.mark.parametrize(
    ("causes", "kind", "message", "hint"),
    [
        ([FETCH, status(401)], IndexForbiddenError, f"{HOST} requires valid credentials (401)", None),
        ([FETCH, status(407)], IndexForbiddenError, f"{HOST} requires valid credentials (407)", None),
        ([FETCH, status(403)], IndexForbiddenError, f"{HOST} denies access (403)", None),
        ([FETCH, status(404)], FileGoneError, f"{HOST} does not have a requested file (404)", None),
        ([FETCH, status(410)], FileGoneError, f"{HOST} does not have a requested file (410)", None),
        ([FETCH, status(429)], IndexServerError, f"{HOST} reported an error (429)", None),
        ([FETCH, status(499)], IndexFailureError, f"{HOST} answered 499", None),
        ([FETCH, status(500)], IndexServerError, f"{HOST} reported an error (500)", None),
        ([FETCH, status(599)], IndexServerError, f"{HOST} reported an error (599)", None),
        ([FETCH, status(418)], IndexFailureError, f"{HOST} answered 418", None),
        ([FETCH, "client error (Connect)"], IndexUnreachableError, f"{HOST} cannot be reached", None),
        (
            [FETCH, "client error (Connect)", "invalid peer certificate: UnknownIssuer"],
            IndexUnreachableError,
            f"{HOST} cannot be reached",
            CERTIFICATE,
        ),
        ([FETCH, "operation timed out"], IndexSlowError, f"{HOST} did not answer in time", None),
        (
            [FETCH, "end of file before message length reached"],
            IndexTruncatedError,
            f"{HOST} sent an incomplete answer",
            None,
        ),
        ([FETCH, "Connection reset by peer"], IndexTruncatedError, f"{HOST} closed the connection", None),
        (
            [FETCH, "connection closed before message completed"],
            IndexTruncatedError,
            f"{HOST} closed the connection",
            None,
        ),
        (
            [FETCH, "Failed to extract archive: x.whl"],
            FileDamagedError,
            f"{HOST} sent a file that cannot be unpacked",
            None,
        ),
        (
            [FETCH, "error reading a body from connection"],
            IndexTruncatedError,
            f"{HOST} sent an incomplete answer",
            None,
        ),
        ([FETCH], IndexUnreachableError, f"{HOST} did not answer correctly", None),
        (["no version of six", FETCH], IndexUnreachableError, f"{HOST} did not answer correctly", None),
        (["error sending request"], IndexUnreachableError, "an index did not answer correctly", None),
        (["operation timed out"], IndexSlowError, "an index did not answer in time", None),
        (["Failed to fetch: https://[::1/x"], IndexUnreachableError, "an index did not answer correctly", None),
    ],
)
def test_a_failure_of_an_index_has_its_kind_and_its_host(
    causes: list[str], kind: type[IndexFailureError], message: str, hint: str | None
) -> None:
    found = uv_index_error(causes, [], DETAILS, None)
    assert type(found) is kind
    assert (found.message, found.hint, found.details) == (message, hint or kind.default_hint, DETAILS)


@pytest.mark.parametrize(
    "cause", ["", "no version of six", "it says: operation timed out", "an HTTP status client error (404)"]
)
def test_other_causes_do_not_blame_an_index(cause: str) -> None:
    assert uv_index_error([cause], [], DETAILS, None) is None


LACK = "could not be queried due to a lack of valid authentication credentials"


@pytest.mark.parametrize(
    ("hint", "number"),
    [
        (f"An index URL (https://index.example/simple) {LACK} (401 Unauthorized).", 401),
        ("An index (https://index.example/simple) returned a 403 Forbidden error.", 403),
        ("An index URL (https://index.example/simple) returned an 403 error.", 403),
    ],
)
def test_a_refusal_in_a_hint_of_uv_is_understood(hint: str, number: int) -> None:
    said = "requires valid credentials" if number == 401 else "denies access"
    found = uv_index_error(["no version of six"], [hint], DETAILS, None)
    assert type(found) is IndexForbiddenError
    assert found.message == f"`index.example` {said} ({number})"


SET = "set `UV_INDEX_MAIN_USERNAME`, `UV_INDEX_MAIN_PASSWORD` and `UV_INDEX_MAIN_HOST=index.example:8443`, or use netrc"
CORRECT = "correct `UV_INDEX_MAIN_USERNAME` and `UV_INDEX_MAIN_PASSWORD`, or ask the operator of the index for access"


@pytest.mark.parametrize(
    ("variables", "hint"),
    [
        ((), SET),
        (("UV_INDEX_OTHER_PASSWORD",), SET),
        (("UV_INDEX_MAIN_USERNAME",), CORRECT),
        (("UV_INDEX_MAIN_PASSWORD",), CORRECT),
    ],
)
def test_an_index_of_the_manifest_that_refuses_is_named_with_what_to_set(variables: tuple[str, ...], hint: str) -> None:
    main = Index(name="main", url="https://index.example:8443/simple")
    known = KnownIndexes(
        indexes=(Index(name="other", url="https://other.example/simple"), main), variables=frozenset(variables)
    )
    for number, said, details in ((401, "requires valid credentials", ()), (403, "denies access", DETAILS)):
        found = uv_index_error([FETCH, status(number)], [], DETAILS, known)
        assert type(found) is IndexForbiddenError
        assert found.message == f"index `main` ({HOST}) {said} ({number})"
        assert (found.hint, found.details) == (hint, details)
    found = uv_index_error([FETCH, status(404)], [], DETAILS, known)
    assert type(found) is FileGoneError
    unknown = KnownIndexes(indexes=known.indexes[:1], variables=frozenset())
    found = uv_index_error([FETCH, status(401)], [], DETAILS, unknown)
    assert found is not None
    assert (found.message, found.details) == (f"{HOST} requires valid credentials (401)", DETAILS)
