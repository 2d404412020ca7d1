"""The seal, which makes a generation complete; it is outside the venv, so that no wheel can write it."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from reconciler.canonical_json import Json, canonical_text
from reconciler.fs.atomic_write import write_atomic
from reconciler.state.applied import Applied
from reconciler.state.applied_json import applied_from_json, applied_to_json, require_bool, require_text

FORMAT = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Seal:
    """What a generation contains: what was applied, by which plan, when (UTC, RFC 3339), and its inventory's digest.

    `home` is the `home` of pyvenv.cfg, `lock` the digest of the lock, `digest` the digest of the seal file itself.
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
    content = (canonical_text(stored) + "\n").encode("ascii")
    write_atomic(path, content)
    return _digest(content)


def read_seal(path: Path) -> Seal | None:
    """Return the seal at `path`, None if it is missing or not a valid seal (the generation is then unfinished)."""
    try:
        content = path.read_bytes()
        stored = json.loads(content)
        if not isinstance(stored, Mapping) or stored.get("format") != FORMAT:
            return None
        return Seal(
            applied=applied_from_json(stored["applied"]),
            plan=require_text(stored["plan"]),
            created=require_text(stored["created"]),
            inventory=require_text(stored["inventory"]),
            home=require_text(stored["home"]),
            system_site_packages=require_bool(stored["system_site_packages"]),
            lock=require_text(stored["lock"]),
            digest=_digest(content),
        )
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None


def _digest(content: bytes) -> str:
    return "sha256:" + hashlib.sha256(content).hexdigest()
