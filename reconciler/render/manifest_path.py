"""The manifest's path as a code host wants it: relative to the repository's top, where its CI runs commands."""

import posixpath
from urllib.parse import quote

from reconciler.render.escape import shown


def repository_path(file: str) -> str:
    """Return a manifest's path without `./`, `..` resolved where they can be; an absolute one stays absolute."""
    return shown(posixpath.normpath(shown(file)))  # redacted first: one slash fewer, and a URL is none


def repository_uri(file: str) -> str:
    """Return the path as a URI reference (RFC 3986), relative unless the path is absolute."""
    path = repository_path(file)
    return f"file:///{quote(path.lstrip('/'))}" if path.startswith("/") else quote(path)
