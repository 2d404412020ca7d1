"""The generation that an environment's path points to, as observation needs it."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedGeneration:
    """A published generation: its number, its venv, its inventory file, and the digest of its seal.

    `home` is the `home` of pyvenv.cfg: the directory of the base interpreter that it was built with.
    `inventory_digest` is the digest in the seal, empty if it is not sealed yet. `access` is that of the root
    (`reconciler.fs.access_bits`), which every file must have; `closed` are the parts of the state that lack it,
    relative to the root. `unreadable` is why the seal could not be read, and `damaged` whether that is damage; `seal`,
    `home` and `system_site_packages` are then unknown.
    """

    generation: int
    venv: Path
    inventory: Path
    seal: str
    home: str
    system_site_packages: bool
    inventory_digest: str = ""
    access: int = 0
    closed: tuple[str, ...] = ()
    unreadable: str = ""
    damaged: bool = False
