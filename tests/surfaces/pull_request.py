"""The comments of a pull request, on a server on 127.0.0.1 that answers like GitHub's REST API."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.index import serving


@dataclass(kw_only=True)
class PullRequest:
    """A pull request; with `refuses` (an HTTP status) it accepts no comments."""

    number: int = 7
    api: str = ""
    refuses: int = 0
    comments: list[dict[str, Any]] = field(default_factory=list)
    tokens: set[str] = field(default_factory=set)

    def add_comment(self, body: str, *, by: str = "Bot") -> None:
        """Add a comment; `by` is GitHub's type of user: Bot or User."""
        self.comments.append({"id": 1000 + len(self.comments), "body": body, "user": {"type": by}})


@contextmanager
def open_pull_request() -> Iterator[PullRequest]:
    """Yield a pull request whose API runs until the context ends."""
    opened = PullRequest()
    with serving(partial(_Api, opened)) as opened.api:
        yield opened


class _Api(BaseHTTPRequestHandler):
    def __init__(self, opened: PullRequest, *args: object) -> None:
        self.opened = opened
        super().__init__(*args)  # type: ignore[arg-type]

    def do_GET(self) -> None:
        requested = urlsplit(self.path)
        assert requested.path == f"/repos/acme/environments/issues/{self.opened.number}/comments"
        query = parse_qs(requested.query)
        size, page = int(query["per_page"][0]), int(query["page"][0])
        self._answer(200, self.opened.comments[size * (page - 1) : size * page])

    def do_POST(self) -> None:
        assert self.path == f"/repos/acme/environments/issues/{self.opened.number}/comments"
        body = self._body()
        if self.opened.refuses:
            self._answer(self.opened.refuses, {"message": "Resource not accessible by integration"})
            return
        self.opened.add_comment(body)
        self._answer(201, self.opened.comments[-1])

    def do_PATCH(self) -> None:
        requested = re.fullmatch(r"/repos/acme/environments/issues/comments/(\d+)", self.path)
        assert requested is not None
        [found] = [each for each in self.opened.comments if each["id"] == int(requested[1])]
        found["body"] = self._body()
        self._answer(200, found)

    def _body(self) -> str:
        return str(json.loads(self.rfile.read(int(self.headers["Content-Length"])))["body"])

    def _answer(self, status: int, document: object) -> None:
        self.opened.tokens.add(self.headers["Authorization"])
        written = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(written)))
        self.end_headers()
        self.wfile.write(written)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class calls it so
        """Print nothing into the output of the tests."""
