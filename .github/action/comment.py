"""Keeps one comment on a pull request: `python comment.py REPORT` writes it, or writes it anew.

The comment is found by its first line and by being a program's: a person's is never touched. Standard library alone.
See https://docs.github.com/rest/issues/comments.
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
NOT_ALLOWED = (403, 404)  # the token of a pull request from a fork may only read
A_PAGE = 100  # comments, the most that the API gives at once
SECONDS = 30  # for one request


def keep(body: str) -> None:
    """Write the comment, or write it anew, on the pull request that the environment names; raises HTTPError."""
    comments = f"repos/{os.environ['GITHUB_REPOSITORY']}/issues/{os.environ['PULL_REQUEST']}/comments"
    ours = (each["id"] for each in written(comments) if is_ours(each))
    if (kept := next(ours, None)) is not None:
        ask("PATCH", f"repos/{os.environ['GITHUB_REPOSITORY']}/issues/comments/{kept}", {"body": body})
    else:
        ask("POST", comments, {"body": body})


def written(comments: str) -> Iterator[dict[str, Any]]:
    """Yield every comment, oldest first."""
    for page in count(1):
        found = ask("GET", f"{comments}?per_page={A_PAGE}&page={page}")
        yield from found
        if len(found) < A_PAGE:
            return


def is_ours(comment: dict[str, Any]) -> bool:
    """Say whether a comment is the one to write anew."""
    return str(comment["body"]).startswith(MARKER) and comment["user"]["type"] == "Bot"


def ask(method: str, path: str, body: dict[str, str] | None = None) -> Any:
    """Send one request to the API and return its answer; raises HTTPError."""
    request = Request(f"{os.environ['GITHUB_API_URL']}/{path}", method=method)  # noqa: S310  # the runner's own URL
    request.add_header("Accept", "application/vnd.github+json")
    request.add_unredirected_header("Authorization", f"Bearer {os.environ['GITHUB_TOKEN']}")
    with urlopen(request, json.dumps(body).encode() if body else None, timeout=SECONDS) as answer:  # noqa: S310
        return json.load(answer)


if __name__ == "__main__":
    try:
        report = Path(sys.argv[1]).read_text(encoding="utf-8").removeprefix(f"{MARKER}\n")
        keep(f"{MARKER}\n{report}\nFor commit `{os.environ['COMMIT']}`.\n")
    except HTTPError as error:
        where = "the step summary has the plan"
        sys.stdout.write(f"::warning title=envsync::the comment was not written (HTTP {error.code}); {where}\n")
        sys.exit(error.code not in NOT_ALLOWED)
