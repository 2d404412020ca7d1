"""Parses and normalizes one requirement (PEP 508) with `packaging`; errors know the column of the invalid part."""

import re

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from reconciler.manifest.hints import suggest
from reconciler.manifest.invalid_text import InvalidTextError
from reconciler.manifest.urls import LOCAL_DIRECTORY_HINT, forbid_credentials, validate_direct_url

# Words of packaging's messages that only those who know the grammar of requirements understand. Longer ones come first.
_PLAIN_WORDS = {
    "semicolon (after name with no version specifier) or end": "a version specifier such as `==1.0` after the name",
    "comma (within version specifier), semicolon (after version specifier) or end": (
        "a complete version specifier such as `>=1.0,<2`"
    ),
    "matching RIGHT_BRACKET for LEFT_BRACKET, after extras": "`]` after the extras",
    "package name at the start of dependency specifier": "a package name at the start",
    "LEFT_BRACKET": "[",
    "RIGHT_BRACKET": "]",
    "LEFT_PARENTHESIS": "(",
    "RIGHT_PARENTHESIS": ")",
}


def parse_requirement(text: str) -> Requirement:
    """Return the requirement with its names normalized; raises InvalidTextError."""
    stripped = text.strip()
    lead = len(text) - len(text.lstrip())
    if not stripped:
        raise InvalidTextError("the requirement is empty")
    if stripped.startswith("-"):
        raise InvalidTextError(
            "must be a requirement, not an option",
            hint="use the keys `requirements`, `constraints`, `indexes` or `project` instead",
            offset=lead,
            width=len(stripped.split()[0]),
        )
    if "\n" in stripped or "\r" in stripped:
        raise InvalidTextError("not a valid requirement: it has more than one line")
    try:
        parsed = Requirement(stripped)
    except InvalidRequirement as error:
        raise _invalid_requirement(stripped, lead, error) from error
    if parsed.url:
        validate_direct_url(parsed.url, offset=lead + stripped.find(parsed.url))
    parsed.name = canonicalize_name(parsed.name)
    parsed.extras = {canonicalize_name(extra) for extra in parsed.extras}
    return parsed


def normalize_requirement(text: str) -> str:
    """Return the requirement in one spelling: names normalized, uniform spaces, extras and specifiers sorted."""
    return str(parse_requirement(text))


def _invalid_requirement(text: str, lead: int, error: InvalidRequirement) -> InvalidTextError:
    """Return packaging's error in one line with a likely correction; raises InvalidTextError for credentials.

    `lead` is the number of characters before `text`.
    """
    forbid_credentials(text, offset=lead)
    message = str(error).splitlines()[0]
    # The span of the invalid part is only on the error's cause, which is not a public interface.
    start, end = getattr(error.__cause__, "span", (0, len(text)))
    hint = ""
    if re.search(r"\{[a-z][a-z0-9_-]*\}", text):
        hint = "write a version: `{AXIS}` is only replaced in `packages` of an environment with a matrix"
    elif "://" in text.split(";")[0] and "@" not in text.split("://")[0]:
        hint = "write `NAME @ URL`"
    elif re.match(r"\.{0,2}/|[A-Za-z]:\\", text) or text in {".", ".."}:
        hint = LOCAL_DIRECTORY_HINT
    else:
        hint = _corrected(text)
    message = message[:1].lower() + message[1:]
    for words, plain in _PLAIN_WORDS.items():
        message = message.replace(words, plain)
    message = f"not a valid requirement: {message}"
    return InvalidTextError(message, hint=hint, offset=lead + start, width=max(end - start, 1))


def _corrected(text: str) -> str:
    """Return a hint with a common mistake corrected if the result is a valid requirement, or an empty string."""
    for wrong, right in (("=>", ">="), ("=<", "<="), (r"(?<![=<>!~])=(?!=)", "=="), (r"(?<=[\w\]])\s+(?=\d)", "==")):
        guess = re.sub(wrong, right, text, count=1)
        if guess != text:
            try:
                Requirement(guess)
            except InvalidRequirement:
                continue
            return suggest(guess)
    return ""
