"""How an index can fail: each way its own error, told from the chain of causes that uv prints."""

import re
from collections.abc import Sequence
from typing import ClassVar
from urllib.parse import urlsplit

from reconciler.errors import EngineError
from reconciler.manifest.urls import CREDENTIALS_HINT

_STATUS = re.compile(
    r"^HTTP status (?:client|server) error \((?P<cause>\d{3})\b"
    r"|^An index (?:URL )?\(\S+\) (?:could not be queried due to a lack of valid authentication credentials "
    r"\((?P<credentials>\d{3})\b|returned an? (?P<returned>\d{3})\b)"
)
_URL = re.compile(r"(?:for url |An index (?:URL )?)\((?P<in>https?://[^\s)]+)\)|^Failed to fetch: (?P<of>https?://\S+)")


class IndexFailureError(EngineError):
    """An index, or a server that a URL names, did not give what was asked of it."""

    code = "index"
    default_hint: ClassVar[str] = "ask whoever runs the index"

    def __init__(self, message: str, *, hint: str | None = None, details: tuple[str, ...] = ()) -> None:
        super().__init__(message, hint=hint or self.default_hint, details=details)


class IndexForbiddenError(IndexFailureError):
    """An index wants credentials, or does not take those that it got (401, 403, 407)."""

    code = "index-forbidden"
    default_hint = CREDENTIALS_HINT


class IndexUnreachableError(IndexFailureError):
    """No connection to an index: refused, no such host, no route, no trust in its certificate."""

    code = "index-unreachable"
    default_hint = "check the index's URL, the network, and the proxy variables"


class IndexSlowError(IndexFailureError):
    """An index was silent for too long."""

    code = "index-slow"
    default_hint = "try again later; the index, or a proxy before it, does not answer in time"


class IndexTruncatedError(IndexFailureError):
    """An index broke an answer off."""

    code = "index-truncated"
    default_hint = "try again; where it stays so, a proxy or the index cuts answers short"


class IndexServerError(IndexFailureError):
    """An index has trouble of its own, or too much to do (5xx, 429)."""

    code = "index-server-error"
    default_hint = "try again later; the trouble is the index's own"


class FileDamagedError(IndexFailureError):
    """A file that an index gave is no archive, or a broken one."""

    code = "file-damaged"
    default_hint = "try again; where it stays so, the file was spoilt on the index or on its way"


class FileGoneError(IndexFailureError):
    """A file is not where the lock or a direct URL says (404, 410)."""

    code = "file-gone"
    default_hint = "check the URL; for a file that a lock names, `envsync lock --upgrade-package NAME` finds another"


def index_failure(causes: Sequence[str], hints: Sequence[str], details: tuple[str, ...]) -> IndexFailureError | None:
    """Return what went wrong with an index by uv's `causes` and `hints`, None if nothing did."""
    told = (*causes, *hints)
    where = _host(told)
    status = next((int(found[found.lastgroup or 0]) for each in told if (found := _STATUS.match(each))), 0)
    if status:
        return _by_status(status, where, details)
    kinds: tuple[tuple[str, type[IndexFailureError], str], ...] = (
        ("client error (Connect)", IndexUnreachableError, f"{where} cannot be reached"),
        ("operation timed out", IndexSlowError, f"{where} was silent for too long"),
        ("end of file before message length reached", IndexTruncatedError, f"{where} broke an answer off"),
        ("Connection reset", IndexTruncatedError, f"{where} broke the connection off"),
        ("connection closed before message completed", IndexTruncatedError, f"{where} broke the connection off"),
        ("Failed to extract archive", FileDamagedError, f"{where} gave a file that cannot be unpacked"),
        ("error reading a body from connection", IndexTruncatedError, f"{where} broke an answer off"),
    )
    for words, kind, message in kinds:
        if any(cause.startswith(words) for cause in causes):
            certificate = any("certificate" in cause for cause in causes)
            hint = "SSL_CERT_FILE names the certificates to trust" if certificate else None
            return kind(message, hint=hint, details=details)
    if any(cause.startswith(("error sending request", "Failed to fetch: ")) for cause in causes):
        return IndexUnreachableError(f"{where} did not answer as it should", details=details)
    return None


def _by_status(status: int, where: str, details: tuple[str, ...]) -> IndexFailureError:
    match status:
        case 401 | 407:
            return IndexForbiddenError(f"{where} wants credentials, or other ones ({status})", details=details)
        case 403:
            return IndexForbiddenError(f"{where} forbids it ({status})", details=details)
        case 404 | 410:
            return FileGoneError(f"{where} does not have a file that was asked for ({status})", details=details)
        case _ if status >= 500 or status == 429:
            return IndexServerError(f"{where} has trouble of its own ({status})", details=details)
        case _:
            return IndexFailureError(f"{where} answered {status}", details=details)


def _host(told: Sequence[str]) -> str:
    """Return the host and port that a URL names, never its user or password."""
    for each in told:
        if found := _URL.search(each):
            try:
                return urlsplit(found["in"] or found["of"]).netloc.rpartition("@")[2] or "an index"
            except ValueError:
                break
    return "an index"
