"""Paths as Windows writes them, which do not work here."""

import re

from reconciler.manifest.hints import suggest
from reconciler.manifest.invalid_text import InvalidTextError

_BACKSLASHES = re.compile(r"[\w .-]*(?:\\[\w.-][\w .-]*)+\\?")
_DRIVE = re.compile(r"[A-Za-z]:[\\/]")


def refuse_windows_path(text: str, *, hint: str) -> None:
    r"""Raise InvalidTextError for `libs\acme`, with the same path as the hint, and for `C:\libs`, with `hint`."""
    if _DRIVE.match(text):
        raise InvalidTextError("a Windows path, but envsync does not run on Windows", hint=hint)
    if _BACKSLASHES.fullmatch(text):
        raise InvalidTextError("`\\` does not separate directories", hint=suggest(text.replace("\\", "/")))
