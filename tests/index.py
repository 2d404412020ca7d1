"""A small package index on 127.0.0.1 for a directory of wheels and source distributions (PEP 503, 691, 658, 700).

`with serve_index(directory) as index:` gives `index.url`, `http://127.0.0.1:PORT/simple/`. The directory is read at
every request, so that a test can add files while the index runs.
"""

import base64
import datetime as dt
import hashlib
import html
import json
import re
import threading
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from copy import copy
from dataclasses import dataclass, field, fields
from functools import partial
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote, unquote

from tests.index_faults import Fault, misbehave

_JSON = "application/vnd.pypi.simple.v1+json"
_SUFFIXES = (".whl", ".tar.gz", ".zip")
_Fault = TypeVar("_Fault")


@dataclass
class ServedIndex:
    """A running index: the `url` of its simple API, the `base` of all URLs, and the requested paths in order.

    If `credentials` (user, password) are set, every request needs them (HTTP basic authentication). By path, `broken`
    has HTTP statuses and `faulty` faults; a `*` at the end of a path matches any rest. `patience` has the number of
    requests for such a path that fail before it works. By file name, `uploaded` has upload times (PEP 700, RFC 3339),
    `lies` wrong SHA-256 digests, `described` metadata that differ from the wheel's (PEP 658), and `yanked` reasons
    (PEP 592). `listed` has by project further file names, which only the page of the project has. `files_at` is the
    address of another index whose files the pages link to. Requests for paths that begin with `moved[0]` are redirected
    to the same path at the address `moved[1]`.
    """

    directory: Path
    base: str = ""
    credentials: tuple[str, str] | None = None
    uploaded: dict[str, str] = field(default_factory=dict)
    broken: dict[str, int] = field(default_factory=dict)
    faulty: dict[str, Fault] = field(default_factory=dict)
    patience: dict[str, int] = field(default_factory=dict)
    lies: dict[str, str] = field(default_factory=dict)
    yanked: dict[str, str] = field(default_factory=dict)
    described: dict[str, bytes] = field(default_factory=dict)
    listed: dict[str, list[str]] = field(default_factory=dict)
    files_at: str = ""
    moved: tuple[str, str] = ("", "")
    ended: threading.Event = field(default_factory=threading.Event)
    requests: list[str] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"{self.base}/simple/"

    def file_url(self, filename: str) -> str:
        """Return the direct URL of a file in the directory."""
        return f"{self.base}/files/{quote(filename)}"


def copied_settings(index: ServedIndex) -> dict[str, Any]:
    """Return copies of everything about an index that a test changes."""
    return {each.name: copy(getattr(index, each.name)) for each in fields(index) if each.name != "ended"}


@contextmanager
def serving(handler: Callable[..., BaseHTTPRequestHandler]) -> Iterator[str]:
    """Answer requests on a free port of 127.0.0.1 until the context ends; yield the address."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def serve_index(directory: Path, *, credentials: tuple[str, str] | None = None) -> Iterator[ServedIndex]:
    """Serve `directory` on a free port of 127.0.0.1 until the context ends."""
    directory.mkdir(parents=True, exist_ok=True)
    index = ServedIndex(directory=directory, credentials=credentials)
    with serving(partial(_Handler, index)) as index.base:
        try:
            yield index
        finally:
            index.ended.set()


def _normalized(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _project(filename: str) -> str:
    if filename.endswith(".whl"):
        return _normalized(filename.split("-", 1)[0])
    return _normalized(filename.removesuffix(".tar.gz").removesuffix(".zip").rsplit("-", 1)[0])


def _metadata(path: Path) -> bytes | None:
    if path.suffix != ".whl":
        return None
    with zipfile.ZipFile(path) as wheel:
        for name in wheel.namelist():
            if name.endswith(".dist-info/METADATA") and name.count("/") == 1:  # deeper ones are of vendored packages
                return wheel.read(name)
    return None


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    fault: Fault | None = None

    def __init__(self, index: ServedIndex, *args: object) -> None:
        self.index = index
        super().__init__(*args)  # type: ignore[arg-type]

    def do_HEAD(self) -> None:
        self._answer()

    def do_GET(self) -> None:
        self._answer()

    def _answer(self) -> None:
        self.fault = None
        path = unquote(self.path.split("?", 1)[0])
        self.index.requests.append(path)
        if (broken := self._wrong(self.index.broken, path)) is not None:
            self._send(b"", "text/plain", HTTPStatus(broken))
            return
        self.fault = self._wrong(self.index.faulty, path)
        if self.index.credentials is not None and not self._allowed(self.index.credentials):
            self._send(b"", "text/plain", HTTPStatus.UNAUTHORIZED, {"WWW-Authenticate": 'Basic realm="index"'})
            return
        start, address = self.index.moved
        if address and path.startswith(start):
            self._send(b"", "text/plain", HTTPStatus.FOUND, {"Location": address + self.path})
            return
        match path.strip("/").split("/"):
            case ["simple"]:
                self._root()
            case ["simple", project]:
                self._page(_normalized(project))
            case ["files", filename]:
                self._file(filename)
            case _:
                self._missing()

    def _wrong(self, faults: Mapping[str, _Fault], path: str) -> _Fault | None:
        """Return the fault of a path; None if it has none, or none any more."""
        found = [each for each in faults if each == path or (each.endswith("*") and path.startswith(each[:-1]))]
        if not found:
            return None
        left = self.index.patience.get(found[0])
        if left is not None:
            self.index.patience[found[0]] = left - 1
            if left <= 0:
                return None
        return faults[found[0]]

    def _allowed(self, credentials: tuple[str, str]) -> bool:
        wanted = base64.b64encode(":".join(credentials).encode()).decode("ascii")
        return self.headers.get("Authorization") == f"Basic {wanted}"

    def _files(self) -> list[Path]:
        return sorted(path for path in self.index.directory.iterdir() if path.name.endswith(_SUFFIXES))

    def _root(self) -> None:
        names = sorted({_project(path.name) for path in self._files()})
        if self._wants_json():
            self._send_json({"meta": {"api-version": "1.1"}, "projects": [{"name": name} for name in names]})
        else:
            links = "".join(f'<a href="/simple/{name}/">{name}</a><br>\n' for name in names)
            self._send(f"<!DOCTYPE html><html><body>\n{links}</body></html>".encode(), "text/html")

    def _page(self, project: str) -> None:
        files = [path for path in self._files() if _project(path.name) == project]
        if not files:
            self._missing()
        elif self._wants_json():
            self._send_json(
                {
                    "meta": {"api-version": "1.1"},
                    "name": project,
                    "versions": sorted({self._version(path) for path in files}),
                    "files": [self._entry(path) for path in files] + self._listed(project),
                }
            )
        else:
            links = "".join(self._link(path) for path in files)
            self._send(f"<!DOCTYPE html><html><body>\n{links}</body></html>".encode(), "text/html")

    def _version(self, path: Path) -> str:
        stem = path.name.removesuffix(".tar.gz").removesuffix(".zip")
        return stem.split("-")[1] if path.suffix == ".whl" else stem.rsplit("-", 1)[1]

    def _entry(self, path: Path) -> dict[str, object]:
        metadata = self.index.described.get(path.name) or _metadata(path)
        entry: dict[str, object] = {
            "filename": path.name,
            "url": f"{self.index.files_at}/files/{quote(path.name)}",
            "hashes": {"sha256": self._sha256(path)},
            "size": path.stat().st_size,
            "yanked": self.index.yanked.get(path.name, False),
        }
        modified = dt.datetime.fromtimestamp(path.stat().st_mtime, tz=dt.UTC).isoformat().replace("+00:00", "Z")
        entry["upload-time"] = self.index.uploaded.get(path.name, modified)
        if metadata is not None:
            entry["core-metadata"] = {"sha256": hashlib.sha256(metadata).hexdigest()}
            if found := re.search(rb"^Requires-Python: *(.+?)\r?$", metadata, re.MULTILINE):
                entry["requires-python"] = found[1].decode()
        return entry

    def _listed(self, project: str) -> list[dict[str, object]]:
        names = self.index.listed.get(project, [])
        return [{"filename": name, "url": f"/files/{quote(name)}", "hashes": {"sha256": "0" * 64}} for name in names]

    def _sha256(self, path: Path) -> str:
        return self.index.lies.get(path.name) or hashlib.sha256(path.read_bytes()).hexdigest()

    def _link(self, path: Path) -> str:
        entry = self._entry(path)
        hashed = self._sha256(path)
        extra = ""
        if path.name in self.index.yanked:
            extra = f' data-yanked="{html.escape(self.index.yanked[path.name])}"'
        if "requires-python" in entry:
            extra += f' data-requires-python="{html.escape(str(entry["requires-python"]))}"'
        return f'<a href="{entry["url"]}#sha256={hashed}"{extra}>{path.name}</a><br>\n'

    def _file(self, filename: str) -> None:
        names = {path.name: path for path in self._files()}
        if filename in names:
            self._send(names[filename].read_bytes(), "application/octet-stream")
        elif (wheel := names.get(filename.removesuffix(".metadata"))) and (metadata := _metadata(wheel)) is not None:
            self._send(self.index.described.get(wheel.name, metadata), "application/octet-stream")
        else:
            self._missing()

    def _wants_json(self) -> bool:
        return _JSON in self.headers.get("Accept", "")

    def _missing(self) -> None:
        self._send(b"not here", "text/plain", HTTPStatus.NOT_FOUND)

    def _send_json(self, document: object) -> None:
        self._send(json.dumps(document).encode(), _JSON)

    def _send(
        self, body: bytes, kind: str, status: HTTPStatus = HTTPStatus.OK, headers: dict[str, str] | None = None
    ) -> None:
        if self.fault is not None:
            misbehave(self, self.fault, body, kind, self.index.ended)
            return
        content, status, headers = self._range(body, status, dict(headers or {}))
        self.send_response(status)
        for key, value in headers.items():
            self.send_header(key, value)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def _range(
        self, body: bytes, status: HTTPStatus, headers: dict[str, str]
    ) -> tuple[bytes, HTTPStatus, dict[str, str]]:
        """Return one range of bytes (RFC 9110): uv reads metadata this way if the index has no metadata files."""
        headers["Accept-Ranges"] = "bytes"
        found = re.fullmatch(r"bytes=(\d*)-(\d*)", self.headers.get("Range", ""))
        if status is not HTTPStatus.OK or not found or not (found[1] or found[2]):
            return body, status, headers
        if found[1]:
            start, end = int(found[1]), min(int(found[2] or len(body) - 1), len(body) - 1)
        else:
            start, end = max(len(body) - int(found[2]), 0), len(body) - 1
        if start > end:
            return b"", HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE, headers | {"Content-Range": f"bytes */{len(body)}"}
        headers["Content-Range"] = f"bytes {start}-{end}/{len(body)}"
        return body[start : end + 1], HTTPStatus.PARTIAL_CONTENT, headers

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class calls it so
        """Print nothing into the output of the tests."""
