"""The generation that an environment's path points to: what observation compares with."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """A published generation: its number, its venv, its inventory file, and its seal's digest.

    `home` is the directory of the base interpreter that it was built with (pyvenv.cfg's `home`); `inventory_digest` is
    what the seal says of the inventory, empty where there is no seal yet.
    """

    generation: int
    venv: Path
    inventory: Path
    seal: str
    home: str
    system_site_packages: bool
    inventory_digest: str = ""
