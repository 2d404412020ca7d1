"""The manifest's path as code hosts expect it: relative to the repository's top, where CI runs the commands."""

import posixpath
from urllib.parse import quote

from reconciler.render.escape import sanitize


def repository_path(file: str) -> str:
    """Return a manifest's path without `./` and, if possible, without `..`; an absolute path stays absolute."""
    # Redacted before, because normalizing removes a slash of `://`, and the result would no longer be found as a URL.
    return sanitize(posixpath.normpath(sanitize(file)))


def repository_uri(file: str) -> str:
    """Return the path as a URI reference (RFC 3986), relative unless the path is absolute."""
    path = repository_path(file)
    return f"file:///{quote(path.lstrip('/'))}" if path.startswith("/") else quote(path)
