"""Paths and URIs as code hosts expect them: the manifest's from the repository's top, a file's from the root."""

import posixpath
from urllib.parse import quote, quote_from_bytes

from reconciler.redaction import redact
from reconciler.render.escape import sanitize


def repository_path(file: str) -> str:
    """Return a manifest's path without `./` and, if possible, without `..`; an absolute path stays absolute."""
    # Redacted before, because normalizing removes a slash of `://`, and the result would no longer be found as a URL.
    return sanitize(posixpath.normpath(sanitize(file)))


def repository_uri(file: str) -> str:
    """Return the path as a URI reference (RFC 3986), relative unless the path is absolute."""
    path = repository_path(file)
    return f"file:///{quote(path.lstrip('/'))}" if path.startswith("/") else quote(path)


def environment_file_uri(environment: str, path: str) -> str:
    """Return a file of an environment as a URI reference (RFC 3986) relative to the root: `web/bin/a%20b`.

    It is empty if `path`, which is relative to the environment, is empty or names a file outside of it.
    """
    relative = f"{environment}/{path}"
    if {"", ".", ".."} & set(relative.split("/")):
        return ""
    text = redact(relative)
    try:
        name = text.encode("utf-8", "surrogateescape")  # the bytes on disk, if they are not UTF-8
    except UnicodeEncodeError:
        name = sanitize(text).encode("utf-8")
    return quote_from_bytes(name)
