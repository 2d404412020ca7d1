"""Reads pyvenv.cfg (PEP 405) as CPython's site.py does: `key = value` lines, keys in any case, the last one counts."""

import errno
import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from reconciler.errors import ObserveError
from reconciler.fs.read import read_inside
from reconciler.observe.actual import FindingCode

_LIMIT_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class PyvenvCfg:
    """The values of pyvenv.cfg; `version` has the form `3.12.1`, empty if there is none."""

    home: str
    version: str
    system_site_packages: bool


class PyvenvCfgError(ObserveError):
    """pyvenv.cfg is missing or invalid; `finding` is the code, `sha256` that of the file (empty if it is missing)."""

    code: ClassVar[str] = "pyvenv-cfg"

    def __init__(self, finding: FindingCode, message: str, content: bytes | None = None) -> None:
        super().__init__(message, hint="correct the probe that changed it, then run the command again")
        self.finding = finding
        self.sha256 = hashlib.sha256(content).hexdigest() if content is not None else ""


def read_pyvenv_cfg(venv: Path) -> PyvenvCfg:
    """Return the values in `<venv>/pyvenv.cfg`; raises PyvenvCfgError if it is missing, unreadable or has no `home`."""
    path = f"{venv}/pyvenv.cfg"
    try:
        content = read_inside(path, str(venv), limit=_LIMIT_BYTES)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise PyvenvCfgError(FindingCode.MISSING_PYVENV_CFG, "pyvenv.cfg is missing") from error
    except OSError as error:
        code = FindingCode.UNREADABLE if error.errno in {errno.EACCES, errno.EPERM} else FindingCode.BAD_PYVENV_CFG
        raise PyvenvCfgError(code, f"pyvenv.cfg could not be read: {error.strerror}") from error
    try:
        return parse_pyvenv_cfg(content.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise PyvenvCfgError(FindingCode.BAD_PYVENV_CFG, "pyvenv.cfg is not UTF-8", content) from error
    except ValueError as error:
        raise PyvenvCfgError(FindingCode.BAD_PYVENV_CFG, str(error), content) from error


def parse_pyvenv_cfg(text: str) -> PyvenvCfg:
    """Return the values in the text of a pyvenv.cfg; raises ValueError if it has no `home`.

    venv writes `version = 3.12.1`, virtualenv also `version_info = 3.12.1.final.0`, uv `version_info = 3.12.1`. As in
    site.py, `include-system-site-packages` is true by default.
    """
    values = {}
    for line in text.splitlines():
        key, found, value = line.partition("=")
        if found:
            values[key.strip().lower()] = value.strip()
    if not values.get("home"):
        raise ValueError("pyvenv.cfg has no `home`")
    version = values.get("version") or values.get("version_info", "")
    return PyvenvCfg(
        home=values["home"],
        version=".".join(version.split(".")[:3]),
        system_site_packages=values.get("include-system-site-packages", "true").lower() == "true",
    )
