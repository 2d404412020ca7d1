"""Turns the chain of causes that uv prints into an error about the index."""

import re
from collections.abc import Sequence
from urllib.parse import urlsplit

from reconciler.backticks import in_backticks
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

_STATUS = re.compile(
    r"^HTTP status (?:client|server) error \((?P<cause>\d{3})\b"
    r"|^An index (?:URL )?\(\S+\) (?:could not be queried due to a lack of valid authentication credentials "
    r"\((?P<credentials>\d{3})\b|returned an? (?P<returned>\d{3})\b)"
)
_URL = re.compile(r"(?:for url |An index (?:URL )?)\((?P<in>https?://[^\s)]+)\)|^Failed to fetch: (?P<of>https?://\S+)")


def uv_index_error(causes: Sequence[str], hints: Sequence[str], details: tuple[str, ...]) -> IndexFailureError | None:
    """Return the index's failure that uv's `causes` and `hints` describe; None if they describe none."""
    lines = (*causes, *hints)
    where = _host(lines)
    status = next((int(found[found.lastgroup or 0]) for each in lines if (found := _STATUS.match(each))), 0)
    if status:
        return _by_status(status, where, details)
    kinds: tuple[tuple[str, type[IndexFailureError], str], ...] = (
        ("client error (Connect)", IndexUnreachableError, f"{where} cannot be reached"),
        ("operation timed out", IndexSlowError, f"{where} did not answer in time"),
        ("end of file before message length reached", IndexTruncatedError, f"{where} sent an incomplete answer"),
        ("Connection reset", IndexTruncatedError, f"{where} closed the connection"),
        ("connection closed before message completed", IndexTruncatedError, f"{where} closed the connection"),
        ("Failed to extract archive", FileDamagedError, f"{where} sent a file that cannot be unpacked"),
        ("error reading a body from connection", IndexTruncatedError, f"{where} sent an incomplete answer"),
    )
    for beginning, kind, message in kinds:
        if any(cause.startswith(beginning) for cause in causes):
            certificate = any("certificate" in cause for cause in causes)
            hint = "set `SSL_CERT_FILE` to the absolute path of the certificates to trust" if certificate else None
            return kind(message, hint=hint, details=details)
    if any(cause.startswith(("error sending request", "Failed to fetch: ")) for cause in causes):
        return IndexUnreachableError(f"{where} did not answer correctly", details=details)
    return None


def _by_status(status: int, where: str, details: tuple[str, ...]) -> IndexFailureError:
    match status:
        case 401 | 407:
            return IndexForbiddenError(f"{where} requires valid credentials ({status})", details=details)
        case 403:
            return IndexForbiddenError(f"{where} denies access ({status})", details=details)
        case 404 | 410:
            return FileGoneError(f"{where} does not have a requested file ({status})", details=details)
        case _ if status >= 500 or status == 429:
            return IndexServerError(f"{where} reported an error ({status})", details=details)
        case _:
            return IndexFailureError(f"{where} answered {status}", details=details)


def _host(lines: Sequence[str]) -> str:
    """Return the host and port that a URL names in backticks, never its user or password; or `an index`."""
    for each in lines:
        if found := _URL.search(each):
            try:
                host = urlsplit(found["in"] or found["of"]).netloc.rpartition("@")[2]
            except ValueError:
                break
            return in_backticks(host) if host else "an index"
    return "an index"
