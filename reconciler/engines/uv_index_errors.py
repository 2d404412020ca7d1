"""Turns the chain of causes that uv prints into an error about the index."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import urlsplit

from reconciler.backticks import in_backticks
from reconciler.engines.uv_credentials import index_host
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
from reconciler.manifest.index_rules import index_of_url
from reconciler.processes.environ import credential_variables, host_variable

_STATUS = re.compile(
    r"^HTTP status (?:client|server) error \((?P<cause>\d{3})\b"
    r"|^An index (?:URL )?\(\S+\) (?:could not be queried due to a lack of valid authentication credentials "
    r"\((?P<credentials>\d{3})\b|returned an? (?P<returned>\d{3})\b)"
)
_URL = re.compile(r"(?:for url |An index (?:URL )?)\((?P<in>https?://[^\s)]+)\)|^Failed to fetch: (?P<of>https?://\S+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownIndexes:
    """The indexes of a run, and the names of its variables: some have the credentials for an index."""

    indexes: tuple[Index, ...]
    variables: frozenset[str]


def uv_index_error(
    causes: Sequence[str], hints: Sequence[str], details: tuple[str, ...], known: KnownIndexes | None
) -> IndexFailureError | None:
    """Return the index's failure that uv's `causes` and `hints` describe; None if they describe none."""
    lines = (*causes, *hints)
    url = _url(lines)
    where = _host(url)
    status = next((int(found[found.lastgroup or 0]) for each in lines if (found := _STATUS.match(each))), 0)
    if status in {401, 403} and known and (index := index_of_url(url, known.indexes)):
        return _refused(status, index, where, details, known.variables)
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
        return IndexUnreachableError(f"{where} did not answer correctly", hint=None, details=details)
    return None


def _refused(
    status: int, index: Index, where: str, details: tuple[str, ...], variables: frozenset[str]
) -> IndexForbiddenError:
    """Return the error for an index that refuses; for 401 it is the same for every package, and so shown once."""
    where = f"index `{index.name}` ({where})"
    user, password = credential_variables(index.name)
    hint = f"set `{user}`, `{password}` and `{host_variable(index.name)}={index_host(index.url)}`, or use netrc"
    if not variables.isdisjoint((user, password)):
        hint = f"correct `{user}` and `{password}`, or ask the operator of the index for access"
    if status == HTTPStatus.UNAUTHORIZED:
        return IndexForbiddenError(f"{where} requires valid credentials ({status})", hint=hint)
    return IndexForbiddenError(f"{where} denies access ({status})", hint=hint, details=details)


def _by_status(status: int, where: str, details: tuple[str, ...]) -> IndexFailureError:
    match status:
        case 401 | 407:
            return IndexForbiddenError(f"{where} requires valid credentials ({status})", hint=None, details=details)
        case 403:
            return IndexForbiddenError(f"{where} denies access ({status})", hint=None, details=details)
        case 404 | 410:
            return FileGoneError(f"{where} does not have a requested file ({status})", hint=None, details=details)
        case _ if status >= 500 or status == 429:
            return IndexServerError(f"{where} reported an error ({status})", hint=None, details=details)
        case _:
            return IndexFailureError(f"{where} answered {status}", hint=None, details=details)


def _url(lines: Sequence[str]) -> str:
    """Return the first URL that uv names as the one that failed; empty if it names none."""
    found = (_URL.search(each) for each in lines)
    return next((match["in"] or match["of"] for match in found if match), "")


def _host(url: str) -> str:
    """Return the host and port of a URL in backticks, never its user or password; or `an index`."""
    try:
        host = urlsplit(url).netloc.rpartition("@")[2]
    except ValueError:
        host = ""
    return in_backticks(host) if host else "an index"
