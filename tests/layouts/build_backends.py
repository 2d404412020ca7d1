"""The wheels of the build backends, downloaded once, with a few small packages that the layouts depend on."""

import fcntl
import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

from tests.wheels import make_wheel

# One version of each, so that two runs build with the same backends.
BACKENDS = (
    "flit-core==4.2.0",
    "hatch-vcs==0.5.0",
    "hatchling==1.33.0",
    "packaging==26.4",
    "pathspec==1.1.1",
    "pdm-backend==2.5.0",
    "pluggy==1.7.0",
    "poetry-core==2.5.0",
    "setuptools-scm==10.3.4",
    "setuptools==84.2.1",
    "tomlkit==0.15.2",
    "trove-classifiers==2026.9.21.13",
    "uv-build==0.13.6",
    "vcs-versioning==2.6.0",
)
_KEPT = Path.home() / ".cache" / "envsync-tests"


def write_wheels(directory: Path) -> None:
    """Write the wheels that a package index for the layouts must have; the backends are downloaded if they are new."""
    for wheel in _downloaded().glob("*.whl"):
        shutil.copy2(wheel, directory)
    make_wheel(directory, "alpha", "1.0")
    make_wheel(directory, "alpha", "1.1")
    make_wheel(directory, "beta", "2.0", scripts={"beta": "beta:main"})
    make_wheel(directory, "gamma", "0.1")


def _downloaded() -> Path:
    """Return the directory with the backends' wheels; raises CalledProcessError if they cannot be downloaded."""
    directory = _KEPT / f"build-backends-{hashlib.sha256(repr(BACKENDS).encode()).hexdigest()[:12]}"
    _KEPT.mkdir(parents=True, exist_ok=True)
    with (_KEPT / "build-backends.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not directory.is_dir():
            partial = directory.with_suffix(".partial")
            shutil.rmtree(partial, ignore_errors=True)
            command = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--only-binary", ":all:"]
            subprocess.run(
                [*command, "-d", str(partial), *BACKENDS], check=True, stdin=subprocess.DEVNULL, capture_output=True
            )
            partial.rename(directory)
    return directory
