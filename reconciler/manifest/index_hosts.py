"""Which hosts the files of an index may be on: its own, its `file_hosts`, and those of the default index."""

import hashlib
import re
from dataclasses import dataclass

from reconciler.manifest.desired import Index
from reconciler.manifest.index_rules import DEFAULT_INDEX

# The name of no package registry is written in this repository. These are the SHA-256 digests of the host of the
# default index of pip and uv (PyPI), and of the host of its files. A test compares them with the hosts that pip knows.
_DEFAULT_HOST = "a4aa2ac280bb8d1a0ce7a1be5a7bfb10292b49fe9435ad5cff19f421f3c70e41"
_DEFAULT_FILE_HOST = "c899567ee906851741bf7f3bde17a33777859ff9f53ff54d6f0ea54cf31ad636"

# Narrower than a URL may be: two programs must not read two hosts from one text (`\`, white space, `@`, no slashes).
_WEB_URL = re.compile(
    r"(?P<scheme>https?)://(?P<host>[a-z0-9._-]+|\[[0-9a-f:.]+\])(?::(?P<port>[0-9]{1,5}))?(?P<path>[/?#][^\s\\]*)?",
    re.IGNORECASE | re.ASCII,
)
_DEFAULT_PORTS = {"http": "80", "https": "443"}


@dataclass(frozen=True, slots=True)
class Origin:
    """Scheme, host and port of a URL, in lower case."""

    scheme: str
    host: str
    port: str

    @property
    def place(self) -> str:
        """Return the host, with the port unless it is the default one: as `file_hosts` has it."""
        return self.host if self.port == _DEFAULT_PORTS[self.scheme] else f"{self.host}:{self.port}"

    def __str__(self) -> str:
        return f"{self.scheme}://{self.place}"


def origin_of(url: str) -> Origin | None:
    """Return the origin of an `http:` or `https:` URL; None for other schemes, and if it is not clearly valid."""
    found = _WEB_URL.fullmatch(url)
    if found is None:
        return None
    scheme = found["scheme"].lower()
    return Origin(scheme, found["host"].lower(), (found["port"] or "").lstrip("0") or _DEFAULT_PORTS[scheme])


def is_default_index(url: str) -> bool:
    """Return whether a URL is on the host of the default index (PyPI)."""
    return _is(origin_of(url), _DEFAULT_HOST)


def serves_from(index: Index, origin: Origin) -> bool:
    """Return whether the files of an index may have this origin.

    A file without encryption is only accepted from an index without encryption.
    """
    own = origin_of(_ascii(index.url))
    if own == origin:
        return True
    default = index is DEFAULT_INDEX or _is(own, _DEFAULT_HOST)
    if default and (_is(origin, _DEFAULT_HOST) or _is(origin, _DEFAULT_FILE_HOST)):
        return True
    encrypted = origin.scheme == "https" or (own is not None and own.scheme == "http")
    return encrypted and not {origin.place, f"{origin.host}:{origin.port}"}.isdisjoint(index.file_hosts)


def _ascii(url: str) -> str:
    """Return the URL of an index with an internationalized host as locks have it: in ASCII (`xn--`)."""
    scheme, separator, rest = url.partition("://")
    authority, slash, path = rest.partition("/")
    if authority.isascii():
        return url
    try:
        return scheme + separator + authority.encode("idna").decode("ascii") + slash + path
    except UnicodeError:  # no host of a lock is equal
        return url


def _is(origin: Origin | None, sha256: str) -> bool:
    """Return whether an origin has the host with this digest, with encryption and the default port."""
    if origin is None or origin.scheme != "https" or origin.place != origin.host:
        return False
    return hashlib.sha256(origin.host.encode("ascii")).hexdigest() == sha256
