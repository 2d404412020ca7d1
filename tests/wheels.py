"""Builds small pure-Python wheels (PEP 427) and source distributions for tests, without a build backend.

The bytes depend only on the arguments, so that the same call gives the same hash on every machine.
"""

import base64
import gzip
import hashlib
import io
import re
import tarfile
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path

_DATE = (2020, 2, 2, 0, 0, 0)


def make_wheel(
    directory: Path,
    name: str,
    version: str,
    *,
    requires: Iterable[str] = (),
    modules: Mapping[str, str | bytes] | None = None,
    scripts: Mapping[str, str] | None = None,
    metadata_extra: str = "",
    requires_python: str | None = None,
    data: Mapping[str, str | bytes] | None = None,
    tag: str = "py3-none-any",
) -> Path:
    """Write `{name}-{version}-{tag}.whl` into `directory` and return its path.

    `modules` are files below site-packages (default: one package with its version); `scripts` are console
    script entry points (`{"acme": "acme:main"}`); `metadata_extra` are further header lines of METADATA; `data` are
    files below `{name}-{version}.data/` (`scripts/tool`, `data/share/x`).
    """
    escaped = re.sub(r"[-_.]+", "_", name).lower()
    if modules is None:
        modules = {
            f"{escaped}/__init__.py": f'__version__ = "{version}"\n\n\ndef main() -> None:\n    print("{name}")\n'
        }
    info = f"{escaped}-{version}.dist-info"
    files: dict[str, bytes] = {path: _bytes(content) for path, content in modules.items()}
    for path, content in (data or {}).items():
        files[f"{escaped}-{version}.data/{path}"] = _bytes(content)
    files[f"{info}/METADATA"] = _metadata(name, version, requires, requires_python, metadata_extra)
    files[f"{info}/WHEEL"] = f"Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: {tag}\n".encode()
    if scripts:
        lines = ["[console_scripts]", *(f"{script} = {target}" for script, target in scripts.items())]
        files[f"{info}/entry_points.txt"] = ("\n".join(lines) + "\n").encode()
    record = "".join(f"{path},{record_hash(content)},{len(content)}\n" for path, content in files.items())
    files[f"{info}/RECORD"] = (record + f"{info}/RECORD,,\n").encode()
    directory.mkdir(parents=True, exist_ok=True)
    target = directory / f"{escaped}-{version}-{tag}.whl"
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as wheel:
        for path, content in files.items():
            entry = zipfile.ZipInfo(path, _DATE)
            entry.external_attr = (0o100755 if ".data/scripts/" in path else 0o100644) << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            wheel.writestr(entry, content)
    return target


def make_sdist(
    directory: Path,
    name: str,
    version: str,
    *,
    requires: Iterable[str] = (),
    files: Mapping[str, str | bytes] | None = None,
    requires_python: str | None = None,
) -> Path:
    """Write `{name}-{version}.tar.gz` (PEP 625) with PKG-INFO and `files` into `directory` and return its path.

    Without `files` it has a `pyproject.toml` with an in-tree backend (PEP 517), which needs nothing from an index.
    """
    escaped = re.sub(r"[-_.]+", "_", name).lower()
    root = f"{escaped}-{version}"
    content: dict[str, bytes] = {path: _bytes(text) for path, text in (files or {}).items()}
    if files is None:
        content["pyproject.toml"] = b'[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'
        content["backend.py"] = _BACKEND.format(name=name, version=version, requires=list(requires)).encode()
    content["PKG-INFO"] = _metadata(name, version, requires, requires_python, "")
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for path, body in sorted(content.items()):
            entry = tarfile.TarInfo(f"{root}/{path}")
            entry.size, entry.mtime, entry.mode = len(body), 1580601600, 0o644
            archive.addfile(entry, io.BytesIO(body))
    directory.mkdir(parents=True, exist_ok=True)
    target = directory / f"{root}.tar.gz"
    target.write_bytes(gzip.compress(buffer.getvalue(), mtime=0))
    return target


def sha256(path: Path) -> str:
    """Return a file's SHA-256, hexadecimal."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _bytes(content: str | bytes) -> bytes:
    return content.encode("utf-8") if isinstance(content, str) else content


def _metadata(name: str, version: str, requires: Iterable[str], requires_python: str | None, extra: str) -> bytes:
    lines = ["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}", "Summary: made by a test"]
    if requires_python:
        lines.append(f"Requires-Python: {requires_python}")
    lines += [f"Requires-Dist: {each}" for each in requires]
    text = "\n".join(lines) + "\n" + extra
    return (text if text.endswith("\n") else text + "\n").encode("utf-8")


def record_hash(content: bytes) -> str:
    """Return the hash of a file's content as RECORD has it."""
    return "sha256=" + base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode("ascii")


_BACKEND = """\
import base64, hashlib, os, zipfile

NAME, VERSION, REQUIRES = {name!r}, {version!r}, {requires!r}


def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    escaped = NAME.replace("-", "_").replace(".", "_").lower()
    info = escaped + "-" + VERSION + ".dist-info"
    requires = "".join("Requires-Dist: " + each + "\\n" for each in REQUIRES)
    files = {{
        escaped + "/__init__.py": "__version__ = " + repr(VERSION) + "\\n",
        info + "/METADATA": "Metadata-Version: 2.1\\nName: " + NAME + "\\nVersion: " + VERSION + "\\n" + requires,
        info + "/WHEEL": "Wheel-Version: 1.0\\nGenerator: tests\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n",
    }}
    record = ""
    for path, text in files.items():
        hashed = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
        record += path + ",sha256=" + hashed + "," + str(len(text.encode())) + "\\n"
    files[info + "/RECORD"] = record + info + "/RECORD,,\\n"
    filename = escaped + "-" + VERSION + "-py3-none-any.whl"
    with zipfile.ZipFile(os.path.join(wheel_directory, filename), "w") as wheel:
        for path, text in files.items():
            wheel.writestr(path, text)
    return filename
"""
