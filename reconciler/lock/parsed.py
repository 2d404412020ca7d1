"""Parses a lock's text: once, however many environments have the same lock."""

import hashlib
from functools import lru_cache

import tomli
from packaging.pylock import Pylock

from reconciler.lock.model import ParsedLock


@lru_cache(maxsize=256)
def parsed_lock(text: str) -> ParsedLock:
    """Parse a lock's text; raises ValueError, RecursionError, or PylockValidationError and its like."""
    document = tomli.loads(text)
    return ParsedLock(
        document=document,
        pylock=Pylock.from_dict(document),
        digest="sha256:" + hashlib.sha256(text.encode("utf-8")).hexdigest(),
    )
