"""Keeps uv from asking an index for packages that it must not serve (docs/design.md, "Indexes").

uv asks the indexes one after the other, until one has the package. It gets a different URL for each pinned index, on
127.0.0.1: a page is answered with 404 if the package is not pinned to that index, and otherwise with a redirect to the
real page. So uv still handles certificates, credentials and proxies, and files have their real URLs. After the pinned
indexes, uv asks one more (`END`), which has an empty page for every pinned package. So uv never asks the other indexes
for it.
"""

import errno
import hashlib
import re
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import quote

from reconciler.errors import EngineError
from reconciler.fs.os_error_hint import os_error_hint
from reconciler.manifest.desired import Index
from reconciler.manifest.index_rules import pinned_to

END = "end"

_LOOPBACK = "127.0.0.1"
# The port is part of the key in uv's cache, so it must be the same in every run. It is below the range from which
# systems take ports for outgoing connections.
_FIRST_PORT, _PORTS, _CANDIDATES = 18000, 14000, 4
_PAGE = re.compile(rf"/([0-9]+|{END})/([a-z0-9](?:[a-z0-9-]*[a-z0-9])?)/")
_POLL_SECONDS = 0.05
_EMPTY_PAGE = b"<!DOCTYPE html><html><body></body></html>"

_running: dict[tuple[Index, ...], "_Shared"] = {}
_guard = threading.Lock()


def filter_addresses(indexes: tuple[Index, ...]) -> tuple[str, ...]:
    """Return the addresses that the filter for `indexes` may have, the usual one first; they depend on nothing else."""
    text = "\n".join(f"{each.url} {' '.join(each.packages)}" for each in indexes)
    number = int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")
    ports = ((number + step * 1009) % _PORTS + _FIRST_PORT for step in range(_CANDIDATES))
    return tuple(f"http://{_LOOPBACK}:{port}" for port in ports)


@contextmanager
def index_filter(indexes: tuple[Index, ...]) -> Iterator[str]:
    """Yield the address of a filter for `indexes`; the page of `NAME` on the index at position N is `/N/NAME/`.

    Threads that need the same filter at the same time share it. Raises EngineError if no port is free.
    """
    with _guard:
        shared = _running.get(indexes) or _running.setdefault(indexes, _Shared(_started(indexes)))
        shared.users += 1
    try:
        yield shared.server.address
    finally:
        with _guard:
            shared.users -= 1
            if not shared.users:
                del _running[indexes]
                shared.server.stop()


def _started(indexes: tuple[Index, ...]) -> "_Filter":
    for address in (*filter_addresses(indexes), f"http://{_LOOPBACK}:0"):
        try:
            server = _Filter(indexes, int(address.rpartition(":")[2]))
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                continue
            raise EngineError(
                f"cannot listen on `{_LOOPBACK}`, which an index with `packages` requires: {error.strerror}",
                hint=os_error_hint(error),
            ) from error
        server.start()
        return server
    raise EngineError(f"no port of `{_LOOPBACK}` is free, but an index with `packages` requires one", hint=None)


class _Filter(ThreadingHTTPServer):
    """Answers for `indexes` on a port of this machine, in threads of its own."""

    daemon_threads = True
    block_on_close = False  # uv keeps connections open

    def __init__(self, indexes: tuple[Index, ...], port: int) -> None:
        self.indexes = indexes
        super().__init__((_LOOPBACK, port), _Handler)
        self.address = f"http://{_LOOPBACK}:{self.server_address[1]}"
        self._thread = threading.Thread(
            target=self.serve_forever, kwargs={"poll_interval": _POLL_SECONDS}, name="index-filter", daemon=True
        )

    def start(self) -> None:
        """Begin to answer."""
        self._thread.start()

    def stop(self) -> None:
        """End, and free the port."""
        self.shutdown()
        self.server_close()
        self._thread.join()

    def server_bind(self) -> None:
        """Bind the port, without looking up this machine's name as the base class does."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = _LOOPBACK, self.server_address[1]

    def handle_error(self, request: object, client_address: object) -> None:
        """Print nothing: a connection that uv closed is not an error."""


class _Handler(BaseHTTPRequestHandler):
    """Redirects to the page of a package, or answers with 404 or an empty page."""

    protocol_version = "HTTP/1.1"
    server: _Filter

    def do_GET(self) -> None:
        """Answer for one page."""
        found, indexes = _PAGE.fullmatch(self.path), self.server.indexes
        if found is None:
            self._answer(HTTPStatus.NOT_FOUND)
        elif found[1] == END:
            if pinned_to(found[2], indexes):
                self._answer(HTTPStatus.OK, _EMPTY_PAGE, **{"Content-Type": "text/html"})
            else:
                self._answer(HTTPStatus.NOT_FOUND)
        elif index := next(
            (each for each in pinned_to(found[2], indexes) if indexes.index(each) == int(found[1])), None
        ):
            self._answer(HTTPStatus.TEMPORARY_REDIRECT, Location=f"{_header_text(index.url.rstrip('/'))}/{found[2]}/")
        else:
            self._answer(HTTPStatus.NOT_FOUND)

    def _answer(self, status: HTTPStatus, body: bytes = b"", **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class calls it so
        """Print nothing: only `cli` writes to a stream."""


def _header_text(url: str) -> str:
    """Return a URL with its characters outside ASCII in percent encoding, because a header cannot have them."""
    return "".join(each if each.isascii() else quote(each) for each in url)


class _Shared:
    """A running filter, and how many threads use it."""

    def __init__(self, server: _Filter) -> None:
        self.server = server
        self.users = 0
