"""The seal, which makes a generation complete; it is outside the venv, so that no wheel can write it."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from reconciler.canonical_json import Json, canonical_text
from reconciler.errors import DamagedStateError
from reconciler.state.applied import Applied
from reconciler.state.applied_json import applied_from_json, applied_to_json, require_bool, require_text
from reconciler.state.state_file import read_state_file, write_state_file

FORMAT = 1
HINT = "restore the file from a backup, or run `envsync apply`, which builds the environment again"


@dataclass(frozen=True, slots=True, kw_only=True)
class Seal:
    """What a generation contains: what was applied, by which plan, when (UTC, RFC 3339), and its inventory's digest.

    `home` is the `home` of pyvenv.cfg, `lock` the digest of the lock, `digest` the digest of the seal itself.
    """

    applied: Applied
    plan: str
    created: str
    inventory: str
    home: str
    system_site_packages: bool
    lock: str
    digest: str = ""


def write_seal(seal: Seal, path: Path) -> str:
    """Write `seal` to `path` atomically and return its digest; raises OSError."""
    stored: dict[str, Json] = {
        "format": FORMAT,
        "applied": applied_to_json(seal.applied),
        "plan": seal.plan,
        "created": seal.created,
        "inventory": seal.inventory,
        "home": seal.home,
        "system_site_packages": seal.system_site_packages,
        "lock": seal.lock,
    }
    write_state_file(path, stored)
    return _digest(stored)


def read_seal(path: Path) -> Seal | None:
    """Return the seal at `path`, None if the file is missing (the generation is then unfinished).

    Raises NewerFormatError, DamagedStateError, or StateError if the system does not let us read it.
    """
    found = read_state_file(path, FORMAT, hint=HINT)
    if found is None:
        return None
    stored = found
    try:
        return Seal(
            applied=applied_from_json(stored["applied"]),
            plan=require_text(stored["plan"]),
            created=require_text(stored["created"]),
            inventory=require_text(stored["inventory"]),
            home=require_text(stored["home"]),
            system_site_packages=require_bool(stored["system_site_packages"]),
            lock=require_text(stored["lock"]),
            digest=_digest(stored),
        )
    except (ValueError, KeyError, TypeError) as error:
        raise DamagedStateError(f"`{path}` is damaged: it is not a seal: {error}", hint=HINT) from error


def _digest(stored: Mapping[str, Json]) -> str:
    """Return the digest of a seal without its code, which is a different one after `envsync trust`."""
    return "sha256:" + hashlib.sha256((canonical_text(stored) + "\n").encode("ascii")).hexdigest()
