"""The seal: what makes a generation complete. It lies outside the venv, so that no wheel can forge it."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from reconciler.canonical_json import Json, canonical_text
from reconciler.fs.atomic_write import write_atomic
from reconciler.state.applied import Applied
from reconciler.state.applied_json import applied_from_json, applied_to_json, flag_in, text_in

FORMAT = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Seal:
    """What a generation is: what was applied, by which plan, when (UTC, RFC 3339), and its inventory's digest.

    `home` is pyvenv.cfg's, `lock` the digest of the lock it was built from. `digest` is that of the seal file itself.
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
    """Write `seal` to `path`, atomically; return its digest. Raises OSError."""
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
    """Return the seal at `path`, or None where there is none or it is not one of ours (an unfinished generation)."""
    try:
        content = path.read_bytes()
        stored = json.loads(content)
        if not isinstance(stored, Mapping) or stored.get("format") != FORMAT:
            return None
        return Seal(
            applied=applied_from_json(stored["applied"]),
            plan=text_in(stored["plan"]),
            created=text_in(stored["created"]),
            inventory=text_in(stored["inventory"]),
            home=text_in(stored["home"]),
            system_site_packages=flag_in(stored["system_site_packages"]),
            lock=text_in(stored["lock"]),
            digest=_digest(content),
        )
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None


def _digest(content: bytes) -> str:
    return "sha256:" + hashlib.sha256(content).hexdigest()
