"""Removes the credentials that a child was given from its output: a build may print its whole environment."""

import base64
import netrc
from collections.abc import Iterable, Mapping
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

from reconciler.redaction import REDACTED, is_secret_name, redact

_SHORTEST = 4  # a shorter text is not a secret, and would match ordinary words


def credentials_of(env: Mapping[str, str], others: Iterable[str] = ()) -> tuple[str, ...]:
    """Return the secrets in a child's environment, in every spelling that the child may print, longest first.

    These are the passwords in `UV_INDEX_<NAME>_PASSWORD`, in proxy URLs and in netrc, and the values of variables with
    a secret's name (`API_TOKEN`). A user name without a password counts as a token. `others` are further secrets.
    """
    pairs = [*_indexes(env), *_proxies(env), *_netrc(env), *_named(env), *(("", each) for each in others)]
    found: set[str] = set()
    for user, password in pairs:
        secret = password or user
        encoded = base64.b64encode(f"{user}:{password}".encode()).decode("ascii")  # HTTP basic authentication
        found |= {secret, quote(secret, safe=""), unquote(secret), encoded}
    return tuple(sorted((each for each in found if len(each) >= _SHORTEST), key=lambda each: (-len(each), each)))


def without_secrets(secrets: Iterable[str], line: str) -> str:
    """Return a line of a child's output without `secrets` and without the credentials in URLs."""
    for secret in secrets:
        line = line.replace(secret, REDACTED)
    return redact(line)


def _indexes(env: Mapping[str, str]) -> list[tuple[str, str]]:
    stems = {name.rpartition("_")[0] for name in env if name.startswith("UV_INDEX_")}
    return [(env.get(f"{stem}_USERNAME", ""), env.get(f"{stem}_PASSWORD", "")) for stem in stems]


def _named(env: Mapping[str, str]) -> list[tuple[str, str]]:
    return [("", value) for name, value in env.items() if is_secret_name(name)]


def _proxies(env: Mapping[str, str]) -> list[tuple[str, str]]:
    found = []
    for name, value in env.items():
        if name.lower().endswith("_proxy"):
            try:
                parts = urlsplit(value if "://" in value else f"http://{value}")
            except ValueError:
                continue
            found.append((parts.username or "", parts.password or ""))
    return found


def _netrc(env: Mapping[str, str]) -> list[tuple[str, str]]:
    """Return the logins of the netrc file that a child would read; none if the file cannot be read."""
    place = Path(env["NETRC"]) if env.get("NETRC") else Path(env.get("HOME", "/nonexistent"), ".netrc")
    try:
        hosts = netrc.netrc(str(place)).hosts.values()
    except (OSError, ValueError, netrc.NetrcParseError):
        return []
    return [(login or "", password or "") for login, _account, password in hosts]
