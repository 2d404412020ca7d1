"""The wheels of the build backends, downloaded once, with a few small packages that the layouts depend on.

They get bytecode that is valid without a check of the sources (PEP 552), which halves the time of a build: each build
has a new environment, and would compile its backend again.
"""

import fcntl
import hashlib
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

from tests.installed_pythons import interpreters
from tests.wheels import make_wheel

# One version of each, so that two runs build with the same backends.
BACKENDS = (
    "editables==0.6",
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


def python_of_the_layouts() -> Path:
    """Return the interpreter that builds and installs the layouts: Python 3.12, or the newest that there is."""
    found = interpreters()
    return found.get("3.12") or found[max(found, key=lambda series: int(series.partition(".")[2]))]


def write_wheels(directory: Path, python: Path) -> None:
    """Write the wheels that a package index for the layouts must have, for builds with the interpreter `python`.

    The backends are downloaded if no earlier run did that. Raises CalledProcessError if they cannot be downloaded.
    """
    for wheel in _prepared(python).glob("*.whl"):
        shutil.copy2(wheel, directory)
    make_wheel(directory, "alpha", "1.0")
    make_wheel(directory, "alpha", "1.1")
    make_wheel(directory, "beta", "2.0", scripts={"beta": "beta:main"})
    make_wheel(directory, "gamma", "0.1")


def _prepared(python: Path) -> Path:
    """Return the directory with the backends' wheels, which it makes if it does not exist."""
    key = hashlib.sha256(repr((BACKENDS, str(python.resolve()))).encode()).hexdigest()[:12]
    directory = _KEPT / f"build-backends-{key}"
    _KEPT.mkdir(parents=True, exist_ok=True)
    with (_KEPT / "build-backends.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not directory.is_dir():
            partial = directory.with_suffix(".partial")
            shutil.rmtree(partial, ignore_errors=True)
            downloaded, unpacked, made = (partial / name for name in ("downloaded", "unpacked", "made"))
            _run(sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary", ":all:", "-d", str(downloaded),
                 *BACKENDS)  # fmt: skip
            for wheel in downloaded.iterdir():
                with zipfile.ZipFile(wheel) as archive:
                    archive.extractall(unpacked / wheel.name)  # a wheel of a known version
            _run(str(python), "-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash", str(unpacked))
            made.mkdir()
            for tree in unpacked.iterdir():
                with zipfile.ZipFile(made / tree.name, "w") as archive:
                    for path in sorted(each for each in tree.rglob("*") if each.is_file()):
                        archive.write(path, path.relative_to(tree))
            made.rename(directory)
            shutil.rmtree(partial)
    return directory


def _run(*command: str) -> None:
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL, capture_output=True)
