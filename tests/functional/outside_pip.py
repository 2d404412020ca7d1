"""The expected lines: what a pip outside an environment prints for it; and tools that create environments."""

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.host import base_environment
from tests.installed_pythons import interpreters

PIP = "pip==26.3"
PIP_FOR_OLD = "pip==24.3.1"  # the last version that runs on Python 3.8 and 3.9
_GIT = {
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_AUTHOR_NAME": "Test",
    "GIT_AUTHOR_EMAIL": "test@index.example",
    "GIT_COMMITTER_NAME": "Test",
    "GIT_COMMITTER_EMAIL": "test@index.example",
}
# poetry and pdm have certificates of their own, without that of a company's proxy.
_BUNDLES = [
    path for path in ("/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt") if Path(path).exists()
]
_CERTIFICATES = {name: path for path in _BUNDLES[:1] for name in ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE")}


@dataclass(frozen=True, kw_only=True)
class Tools:
    """Programs in scratch environments of their own: `bin` has pip, virtualenv and poetry, `old` an older pip."""

    bin: Path
    old: Path
    pdm: Path

    def freeze(self, env: Path, *arguments: str, series: str) -> list[str]:
        """Return the lines that pip, run from outside, prints for `env`; there must be at least one."""
        tools = self.old if series in {"3.8", "3.9"} else self.bin
        out = run([tools / "python", "-m", "pip", "--python", env, "freeze", *arguments])
        assert out.strip(), f"pip printed nothing for {env}"
        return out.splitlines()


def make_tools(directory: Path) -> Tools:
    """Install the tools below `directory`."""
    uv = Path(sys.executable).parent / "uv"
    newest = next(path for series, path in interpreters().items() if series in {"3.11", "3.12", "3.13"})
    old = next(path for series, path in interpreters().items() if series in {"3.8", "3.9", "3.10", "3.11"})
    wanted = {
        "tools": (newest, [PIP, "virtualenv", "poetry"]),
        "pdm": (newest, ["pdm[locked]"]),
        "old": (old, [PIP_FOR_OLD]),
    }
    for name, (python, packages) in wanted.items():
        run([uv, "venv", "--no-config", "-q", "-p", python, directory / name])
        run([uv, "pip", "install", "--no-config", "-q", "-p", directory / name, *packages])
    return Tools(bin=directory / "tools/bin", old=directory / "old/bin", pdm=directory / "pdm/bin/pdm")


def run(argv: Sequence[str | Path], *, cwd: Path | None = None, env: Mapping[str, str] | None = None) -> str:
    """Run a program in a small environment without PIP_* and git's own configuration; return its stdout."""
    done = subprocess.run(
        [str(each) for each in argv],
        cwd=cwd,
        env={**base_environment(), **_GIT, **_CERTIFICATES, "PYTHONPATH": "", **(env or {})},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, f"{argv}\n{done.stdout}\n{done.stderr}"
    return done.stdout
