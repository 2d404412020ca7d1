"""Blots the secrets out of URLs, at the door: what was not taken in cannot get out (pip #11410)."""

import re
from urllib.parse import urlsplit, urlunsplit

BLOT = "****"
_VARIABLES = re.compile(r"^\$\{[A-Za-z0-9-_]+\}(:\$\{[A-Za-z0-9-_]+\})?$")  # PEP 610 lets these stand
_SECRET_PARAMETER = re.compile(
    r"(?i)([?&](?:[^=&#]*(?:token|secret|passw|signature|credential|api[-_]?key)[^=&#]*|sig|key|auth)=)[^&#]*"
)


def redacted(url: str) -> str:
    """Return `url` with `****` for a password, for a lone user name of http (a token), and for secret parameters.

    `git@`, a user name of ssh, and PEP 610's `${USER}:${PASSWORD}` are no secrets and stand.
    """
    if "@" not in url and "?" not in url:
        return url
    try:
        parts = urlsplit(url)
    except ValueError:
        return BLOT
    userinfo, at, host = parts.netloc.rpartition("@")
    if at and userinfo != "git" and not _VARIABLES.match(userinfo):
        user, colon, _ = userinfo.partition(":")
        if colon:
            parts = parts._replace(netloc=f"{user}:{BLOT}@{host}")
        elif not parts.scheme.endswith("ssh"):
            parts = parts._replace(netloc=f"{BLOT}@{host}")
    if parts.query:
        blotted = _SECRET_PARAMETER.sub(rf"\g<1>{BLOT}", "?" + parts.query)[1:]
        parts = parts._replace(query=blotted)
    blotted_url = urlunsplit(parts)
    return blotted_url if parts != urlsplit(url) else url
