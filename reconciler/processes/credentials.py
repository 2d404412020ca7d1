"""Removes the credentials that a child was given from its output: a build may print its whole environment."""

import base64
import json
import netrc
import re
import shlex
from collections.abc import Iterable, Mapping
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

from reconciler.redaction import REDACTED, is_secret_name, redact

_SETTING = re.compile(r"-{0,2}[\w.-]{1,120}(?:=|:\s++)(?P<all>(?:.*\s)?(?P<last>\S+))")
_USER_OF_URL = re.compile(r"://[^/?#\s:@]*:(?P<password>[^/?#\s]*)@")
_KEY = re.compile(r"(?<![A-Za-z0-9])(?=[a-z0-9]*[A-Z])(?=[A-Z0-9]*[a-z])(?=[A-Za-z]*[0-9])[A-Za-z0-9]{8,512}")
_SHORTEST = 4  # a shorter text is not a secret, and would match ordinary words


def credentials_of(env: Mapping[str, str], others: Iterable[str]) -> tuple[str, ...]:
    """Return the secrets in a child's environment, in every spelling that the child may print, longest first.

    These are the passwords in `UV_INDEX_<NAME>_PASSWORD`, in proxy URLs and in netrc, and the values of variables with
    a secret's name (`API_TOKEN`). A user name without a password counts as a token. `others` are further secrets.
    """
    pairs = [*_indexes(env), *_proxies(env), *_netrc(env), *_named(env)]
    pairs += [("", part) for each in others for part in _parts(each)]
    found: set[str] = set()
    for user, password in pairs:
        secret = password or user
        found |= {secret, quote(secret, safe=""), unquote(secret), json.dumps(secret)[1:-1], repr(secret)[1:-1]}
        found.add(shlex.quote(secret).strip("'"))
        for text in (secret, f"{user}:{password}"):  # the latter is HTTP basic authentication
            found.add(base64.b64encode(text.encode("utf-8", "surrogateescape")).decode("ascii"))
    return tuple(sorted((each for each in found if len(each) >= _SHORTEST), key=lambda each: (-len(each), each)))


def _parts(text: str) -> list[str]:
    """Return a text and the parts of it that a program may print alone: its lines, and what an option or header sets.

    These are `s3cret` of `--password=s3cret` and of `Authorization: Bearer s3cret`, the password in a URL, and words
    that look like a key: with upper case, lower case and a digit.
    """
    lines = [each.strip() for each in text.splitlines()]
    found = [text, *lines, *(each[0] for each in _KEY.finditer(text))]
    for line in lines:
        if match := _SETTING.fullmatch(line):
            found += [match["all"], match["last"]]
        if match := _USER_OF_URL.search(line):
            found.append(match["password"])
    return found


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
