"""Names and values in the sentences of messages: in backticks, and short enough to read."""

from collections.abc import Iterable

from reconciler.redaction import redact

_MOST_CHARACTERS = 200
_MOST_REDACTED = 10_000  # characters; what is after them is never shown


def in_backticks(text: str) -> str:
    """Return `text` in backticks, redacted and cut after 200 characters.

    Text that contains a backtick gets two at each end, as in Markdown. Empty text is `""`. Control characters are not
    changed: every output escapes them (`reconciler.render.escape`).
    """
    text = redact(text[:_MOST_REDACTED]) or '""'
    if len(text) > _MOST_CHARACTERS:
        text = f"{text[:_MOST_CHARACTERS]}..."
    return f"`` {text} ``" if "`" in text else f"`{text}`"


def list_in_backticks(names: Iterable[str], *, most: int = 10) -> str:
    """Return names in their order, each in backticks and separated by commas; after `most`, how many more there are."""
    listed = list(names)
    shown = ", ".join(in_backticks(each) for each in listed[:most])
    return f"{shown} and {len(listed) - most} more" if len(listed) > most else shown
