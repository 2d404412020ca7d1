"""One requirement (PEP 508): parsed by packaging, refused with a column, and written anew."""

import re

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from reconciler.manifest.refusal import RefusedError
from reconciler.manifest.urls import check_direct_url, refuse_credentials

# packaging's messages name its tokens.
_TOKENS = {"LEFT_BRACKET": "[", "RIGHT_BRACKET": "]", "LEFT_PARENTHESIS": "(", "RIGHT_PARENTHESIS": ")"}


def parse_requirement(text: str) -> Requirement:
    """Return the requirement with its names normalized, or refuse the text where packaging stumbled."""
    stripped = text.strip()
    lead = len(text) - len(text.lstrip())
    if not stripped:
        raise RefusedError("not a valid requirement: it is empty")
    if stripped.startswith("-"):
        raise RefusedError(
            "an option, not a requirement",
            hint="files belong into `requirements` or `constraints`, package indexes into `indexes`",
            offset=lead,
            width=len(stripped.split()[0]),
        )
    if "\n" in stripped or "\r" in stripped:
        raise RefusedError("not a valid requirement: more than one line")
    try:
        parsed = Requirement(stripped)
    except InvalidRequirement as error:
        raise _refusal(stripped, lead, error) from error
    if parsed.url:
        check_direct_url(parsed.url, offset=lead + stripped.find(parsed.url))
    parsed.name = canonicalize_name(parsed.name)
    parsed.extras = {canonicalize_name(extra) for extra in parsed.extras}
    return parsed


def normalized_requirement(text: str) -> str:
    """Return the requirement written anew: names normalized, one spacing, extras and specifiers sorted."""
    return str(parse_requirement(text))


def _refusal(text: str, lead: int, error: InvalidRequirement) -> RefusedError:
    """Say what packaging said, in one line, without quoting a URL's credentials, and what was likely meant."""
    refuse_credentials(text, offset=lead)
    said = str(error).splitlines()[0]
    # packaging keeps what it was looking at on the error's cause; its public text is the fallback.
    start, end = getattr(error.__cause__, "span", (0, len(text)))
    hint = ""
    if "://" in text.split(";")[0] and "@" not in text.split("://")[0]:
        hint = "write `NAME @ URL`"
    elif re.match(r"\.{0,2}/|[A-Za-z]:\\", text) or text in {".", ".."}:
        hint = "a local directory belongs into `project`, or as `./PATH` into a requirements file"
    else:
        hint = _corrected(text)
    said = said[:1].lower() + said[1:]
    for token, sign in _TOKENS.items():
        said = said.replace(token, sign)
    return RefusedError(f"not a valid requirement: {said}", hint=hint, offset=lead + start, width=max(end - start, 1))


def _corrected(text: str) -> str:
    """Return a hint with the usual slips set right, where that makes a requirement."""
    for wrong, right in (("=>", ">="), ("=<", "<="), (r"(?<![=<>!~])=(?!=)", "=="), (r"(?<=[\w\]])\s+(?=\d)", "==")):
        guess = re.sub(wrong, right, text, count=1)
        if guess != text:
            try:
                Requirement(guess)
            except InvalidRequirement:
                continue
            return f"did you mean `{guess}`?"
    return ""
