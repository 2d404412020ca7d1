"""Texts in which `«` and `»` enclose what may be a secret."""

import re

from reconciler.redaction import REDACTED


def without_marks(marked: str) -> str:
    """Return the text itself."""
    return marked.replace("«", "").replace("»", "")


def masked(marked: str) -> str:
    """Return the text with `****` in place of everything that is enclosed."""
    return re.sub("«[^»]*»", REDACTED, marked)
