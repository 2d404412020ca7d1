"""Keep one comment on a pull request: `python comment.py REPORT` creates the comment or replaces its text.

The comment is recognised by its first line and by its author, which must be a bot: comments of people stay as they
are. This script uses only the standard library. See https://docs.github.com/rest/issues/comments.
"""

import json
import os
import sys
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

MARKER = "<!-- envsync -->"
NOT_ALLOWED = (403, 404)  # the token of a pull request from a fork is read-only
PAGE_SIZE = 100  # comments; the API returns no more at once
TIMEOUT_SECONDS = 30  # of one request


def write_comment(body: str) -> None:
    """Create or replace the comment on the pull request that the environment names. Raise HTTPError if that fails."""
    comments = f"repos/{os.environ['GITHUB_REPOSITORY']}/issues/{os.environ['PULL_REQUEST']}/comments"
    ours = (comment["id"] for comment in read_comments(comments) if is_ours(comment))
    if (existing := next(ours, None)) is not None:
        send("PATCH", f"repos/{os.environ['GITHUB_REPOSITORY']}/issues/comments/{existing}", {"body": body})
    else:
        send("POST", comments, {"body": body})


def read_comments(path: str) -> Iterator[dict[str, Any]]:
    """Yield every comment, oldest first."""
    for page in count(1):
        found = send("GET", f"{path}?per_page={PAGE_SIZE}&page={page}")
        yield from found
        if len(found) < PAGE_SIZE:
            return


def is_ours(comment: dict[str, Any]) -> bool:
    """Return whether this action wrote the comment."""
    return str(comment["body"]).startswith(MARKER) and comment["user"]["type"] == "Bot"


def send(method: str, path: str, body: dict[str, str] | None = None) -> Any:
    """Send one request to the API and return its decoded JSON. Raise HTTPError if the status is an error."""
    request = Request(f"{os.environ['GITHUB_API_URL']}/{path}", method=method)  # noqa: S310  # the runner's own URL
    request.add_header("Accept", "application/vnd.github+json")
    request.add_unredirected_header("Authorization", f"Bearer {os.environ['GITHUB_TOKEN']}")
    with urlopen(request, json.dumps(body).encode() if body else None, timeout=TIMEOUT_SECONDS) as answer:  # noqa: S310
        return json.load(answer)


if __name__ == "__main__":
    try:
        report = Path(sys.argv[1]).read_text(encoding="utf-8").removeprefix(f"{MARKER}\n")
        write_comment(f"{MARKER}\n{report}\nFor commit `{os.environ['COMMIT']}`.\n")
    except HTTPError as error:
        elsewhere = "the step summary has the plan"
        sys.stdout.write(f"::warning title=envsync::the comment was not written (HTTP {error.code}); {elsewhere}\n")
        sys.exit(error.code not in NOT_ALLOWED)
