"""Takes secrets out of text: one policy for what may be read, shown and written.

A secret is a user name or password in a URL, the value of a query parameter with a secret's name, or the value of a
variable or setting with a secret's name. Each is replaced by `****`. The manifest refuses a URL that `redact_url` would
change, so a URL that passes `envsync validate` is never redacted later.
"""

import re

REDACTED = "****"

_WORDS = r"passw|passphrase|secret|token|credential|api[-_.]?key|private[-_.]?key|access[-_.]?key"
_SECRET_NAME = re.compile(rf"(?i){_WORDS}")
# Signed URLs of object stores have `sig=`, `X-Amz-Signature=`, `Key-Pair-Id=` and the like. A short word counts only as
# a whole: `design` and `monkey` are not secrets.
_LONG = rf"[\w.%-]{{0,60}}(?:{_WORDS}|signature|oauth|authkey)[\w.%-]{{0,60}}"
_SHORT = r"(?:[\w.%-]{0,60}[-_.])?(?:sig|key|auth|pwd)(?:[-_.][\w.%-]{0,60})?"
_PARAMETER = rf"(?i)([?&#;](?:{_LONG}|{_SHORT})=)"
# A secret may contain a backtick. The one that ends a quoted URL is followed by the end of a word.
_INNER_BACKTICK = r"`(?![),.;:'\"]{0,9}(?:\s|\Z))"
_PARAMETER_IN_TEXT = re.compile(rf"{_PARAMETER}(?:[^&#\s\"'`]++|{_INNER_BACKTICK})+")
_PARAMETER_IN_URL = re.compile(_PARAMETER + r"[^&#]+")
# All repeats are bounded, or begin at the start of a word: an untrusted line of a million letters takes no time.
_SETTING = re.compile(r"(?<![\w-])([\w-]{1,120})[\"']?\s{0,9}[:=]\s{1,60}(?=\S)")
# A password may contain a quote.
_URL = re.compile(rf"(?<![A-Za-z0-9+.-])([A-Za-z0-9+.-]++://)((?:[^\s\"<>\\`]++|{_INNER_BACKTICK})+)")
# PEP 610: a recorded URL may contain variables in place of the user name and password.
_VARIABLES = re.compile(r"\$\{[A-Za-z0-9_-]+\}(:\$\{[A-Za-z0-9_-]+\})?")


def is_secret_name(name: str) -> bool:
    """Return whether a variable's name (`API_TOKEN`) says that its value is a secret."""
    return _SECRET_NAME.search(name) is not None


def redact(text: str) -> str:
    """Return `text` with the secrets of every URL in it replaced by `****`."""
    return _PARAMETER_IN_TEXT.sub(rf"\1{REDACTED}", _URL.sub(lambda url: _without_user(url[1], url[2]), text))


def redact_url(url: str) -> str:
    """Return one URL with its secrets replaced by `****`; unlike in running text, it may contain spaces and quotes."""
    scheme, separator, rest = url.partition("://")
    if separator:
        url = _without_user(scheme + separator, rest)
    return _PARAMETER_IN_URL.sub(rf"\1{REDACTED}", url)


def redact_source_line(line: str) -> str:
    """Return a line of a source file redacted, and cut after a setting with a secret's name (`password: ****`)."""
    line = redact(line)
    for setting in _SETTING.finditer(line):
        if is_secret_name(setting[1]):
            return line[: setting.end()] + REDACTED
    return line


def _without_user(scheme: str, rest: str) -> str:
    """Return a URL (`scheme` ends with `://`) without its user name and password.

    A bare user name stays for ssh, and if it is `git` or a variable (`${USER}:${PASSWORD}`): none of these is a secret.
    """
    authority = re.split(r"[/?#]", rest, maxsplit=1)[0]
    user, at, _ = authority.rpartition("@")
    if at and (user == "git" or _VARIABLES.fullmatch(user) or ("ssh" in scheme and ":" not in user)):
        return f"{scheme}{rest}"
    _, colon, port = authority.rpartition(":")
    # A password may contain an unquoted / or @. An `@` after something that is not a port number shows that.
    cut_short = "@" in rest and bool(colon) and not port.isdigit() and not authority.endswith("]")
    return f"{scheme}{REDACTED}@{rest.rpartition('@')[2]}" if at or cut_short else f"{scheme}{rest}"
