"""Whatever an index answers, the result is an error with a hint: nothing is published, and no answer is printed raw."""

import json
from collections.abc import Iterator
from functools import partial
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest

from tests.functional.host_state import published
from tests.host import Host
from tests.index import serving

JSON = "application/vnd.pypi.simple.v1+json"
EVIL = "\x1b[31m\n::error::pwned\n##vso[task.complete]\u202e"
WHEEL = "gamma-1.0-py3-none-any.whl"


def page(**changes: Any) -> bytes:
    """Return the page of gamma with one file; `changes` are keys of this file."""
    file = {"filename": WHEEL, "url": f"/files/{WHEEL}", "hashes": {"sha256": "0" * 64}, **changes}
    return json.dumps({"meta": {"api-version": "1.1"}, "name": "gamma", "files": [file]}).encode()


# By name: the status, the type, and the body of the page; a redirect has its target instead of a body.
ANSWERS: dict[str, tuple[int, str, bytes]] = {
    "empty": (200, JSON, b""),
    "no JSON": (200, JSON, EVIL.encode()),
    "a list": (200, JSON, b"[]"),
    "other types": (200, JSON, page(filename=1, url=None)),
    "files is a number": (200, JSON, b'{"meta": {"api-version": "1.1"}, "name": "gamma", "files": 1}'),
    "deeply nested": (200, JSON, b"[" * 100_000),
    "a version of the format that does not exist": (200, JSON, b'{"meta": {"api-version": "99.0"}, "files": []}'),
    "bytes that are not text": (200, JSON, b"\xff\xfe\x00" * 100),
    "HTML that is not closed": (200, "text/html", b"<html><a href='" + b"x" * 100_000),
    "a script": (200, "text/html", b"<script>pwned</script><a href='javascript:pwned()'>" + WHEEL.encode() + b"</a>"),
    "a type that does not exist": (200, "image/png", b"\x89PNG"),
    "a status that does not exist": (799, "text/plain", EVIL.encode()),
    "a redirect to itself": (302, JSON, b"/simple/gamma/"),
    "a redirect to a file": (302, JSON, b"file:///etc/passwd"),
    "a redirect to a scheme of its own": (302, JSON, b"gopher://127.0.0.1:1/x"),
    "a file of another project": (200, JSON, page(filename="alpha-1.0-py3-none-any.whl")),
    "a file name with control characters": (200, JSON, page(filename=f"gamma-1.0-{EVIL}-none-any.whl")),
    "a file name that is a path": (200, JSON, page(filename="../../../gamma-1.0-py3-none-any.whl")),
    "a URL that is none": (200, JSON, page(url=f"http://[{EVIL}")),
    "a port that is closed": (200, JSON, page(url=f"http://127.0.0.1:1/{WHEEL}")),
    "a hash that is none": (200, JSON, page(hashes={"sha256": EVIL})),
    "a Requires-Python that is none": (200, JSON, page(**{"requires-python": EVIL})),
    "a time that is none": (200, JSON, page(**{"upload-time": EVIL, "size": -1})),
    "metadata that do not exist": (200, JSON, page(**{"core-metadata": {"sha256": "0" * 64}})),
}


class Index(BaseHTTPRequestHandler):
    def __init__(self, answers: dict[str, tuple[int, str, bytes]], *args: object) -> None:
        self.answers = answers
        super().__init__(*args)  # type: ignore[arg-type]

    def do_GET(self) -> None:
        status, kind, body = self.answers.get(self.path, (404, "text/plain", EVIL.encode()))
        self.send_response(status, "answer")
        if status == 302:
            self.send_header("Location", body.decode())
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)

    def do_HEAD(self) -> None:
        self.do_GET()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class calls it so
        """Print nothing into the output of the tests."""


@pytest.fixture
def answers(host: Host) -> Iterator[dict[str, tuple[int, str, bytes]]]:
    """Yield the answers of an index, by path, that is the only one of the environment `web`."""
    found: dict[str, tuple[int, str, bytes]] = {}
    with serving(partial(Index, found)) as base:
        (host.directory / "envs.yaml").write_text(
            f"version: 1\nproject: acme\nindexes: [{{name: evil, url: '{base}/simple/'}}]\n"
            "environments: {web: {python: '>=3.11', packages: [gamma]}}\n"
        )
        yield found


def test_no_answer_is_obeyed_or_printed_raw(host: Host, answers: dict[str, tuple[int, str, bytes]]) -> None:
    for name, answer in ANSWERS.items():
        answers["/simple/gamma/"] = answer
        ran = host.envsync("apply", "--yes", "--timeout", "10")
        printed = ran.out + ran.err
        assert ran.code == 1, (name, printed)
        assert "\nhint: " in printed, (name, printed)
        assert all(line.isprintable() for line in printed.splitlines()), (name, ascii(printed))
        assert not [line for line in printed.splitlines() if line.lstrip().startswith("::") or "##vso[" in line], name
        assert published(host, "web") == 0, name
        (host.directory / "locks/pylock.web.toml").unlink(missing_ok=True)
