"""A package cannot write, replace or link anything outside of its environment, whatever its archive contains.

All archives are installed at the same time, each into an environment of its own, next to one with an ordinary package.
"""

import csv
import gzip
import hashlib
import io
import os
import stat
import tarfile
import warnings
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from reconciler.fs.user_key import key_path
from tests.functional.host_state import finished, published
from tests.host import Host, Ran, new_host
from tests.wheels import make_wheel, record_hash


def plain(host: Host, name: str, path: str) -> None:
    """Make a wheel with a file at a path of any form."""
    make_wheel(host.index.directory, name, "1.0", modules={f"{name}.py": "", path: "escaped\n"})


def in_data(host: Host, name: str, path: str) -> None:
    """Make a wheel with a file at a path below its `.data` directory."""
    make_wheel(host.index.directory, name, "1.0", modules={f"{name}.py": ""}, data={path: "#!python\nescaped\n"})


def entry_point(host: Host, name: str, script: str) -> None:
    """Make a wheel whose console script has a path as its name."""
    modules = {f"{name}.py": "def main(): ..."}
    make_wheel(host.index.directory, name, "1.0", modules=modules, scripts={script: f"{name}:main"})


def link(host: Host, name: str, target: str, below: str) -> None:
    """Make a wheel with a symbolic link, and a file below it or in its place."""
    wheel = make_wheel(host.index.directory, name, "1.0", modules={f"{name}.py": ""})
    out = io.BytesIO()
    with zipfile.ZipFile(wheel) as old, zipfile.ZipFile(out, "w") as new:
        entry = zipfile.ZipInfo("linked")
        entry.create_system = 3  # Unix: the mode of the entry counts
        entry.external_attr = (stat.S_IFLNK | 0o777) << 16
        new.writestr(entry, target)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # two entries of one name, on purpose
            new.writestr(f"linked{below}", "escaped\n")
        for each in old.namelist():
            content = old.read(each)
            if each.endswith("/RECORD"):
                hashes = {"linked": record_hash(target.encode()), f"linked{below}": record_hash(b"escaped\n")}
                content = "".join(f"{path},{digest},\n" for path, digest in hashes.items()).encode() + content
            new.writestr(each, content)
    wheel.write_bytes(out.getvalue())


def record_only(host: Host, name: str, path: str) -> None:
    """Make a wheel whose RECORD lists a file that it does not contain: an uninstall would delete it."""
    wheel = make_wheel(host.index.directory, name, "1.0", modules={f"{name}.py": ""})
    out = io.BytesIO()
    with zipfile.ZipFile(wheel) as old, zipfile.ZipFile(out, "w") as new:
        for each in old.namelist():
            line = f"{path},,\n".encode() if each.endswith("/RECORD") else b""
            new.writestr(each, line + old.read(each))
    wheel.write_bytes(out.getvalue())


def source(host: Host, name: str, path: str, kind: bytes) -> None:
    """Make a source distribution with a member that is outside of it, or a link to the outside."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as archive:
        metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n".encode()
        build = b'[build-system]\nrequires = []\nbuild-backend = "none"\nbackend-path = ["."]\n'
        for file, content in {"PKG-INFO": metadata, "pyproject.toml": build}.items():
            entry = tarfile.TarInfo(f"{name}-1.0/{file}")
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
        member = tarfile.TarInfo(f"{name}-1.0/linked" if kind != tarfile.REGTYPE else path)
        member.type = kind
        if kind != tarfile.REGTYPE:
            member.linkname = path
        archive.addfile(member)
        inside = tarfile.TarInfo(f"{name}-1.0/linked/escaped")
        archive.addfile(inside)
    (host.index.directory / f"{name}-1.0.tar.gz").write_bytes(gzip.compress(buffer.getvalue()))


UP = "../" * 12
# By name of the package: how its archive is made, and the paths in it. OUT is a directory of the user.
ARCHIVES: dict[str, tuple[Callable[..., None], tuple[str | bytes, ...]]] = {
    "parents": (plain, (f"{UP}OUT/escaped",)),
    "parentsinside": (plain, (f"pkg/{UP}OUT/escaped",)),
    "absolute": (plain, ("OUT/escaped",)),
    "backslash": (plain, ("..\\..\\..\\..\\escaped",)),
    "othervenv": (plain, ("../../../../../../good/1/venv/bin/escaped",)),
    "sealfile": (plain, ("../../../../seal.json",)),
    "dataparents": (in_data, (f"data/{UP}OUT/escaped",)),
    "dataabsolute": (in_data, ("data/OUT/escaped",)),
    "scriptparents": (in_data, (f"scripts/{UP}OUT/escaped",)),
    "headerparents": (in_data, (f"headers/{UP}OUT/escaped",)),
    "libparents": (in_data, (f"purelib/{UP}OUT/escaped",)),
    "unknownscheme": (in_data, (f"{UP}OUT/escaped",)),
    "pointparents": (entry_point, (f"{UP}OUT/escaped",)),
    "pointabsolute": (entry_point, ("OUT/escaped",)),
    "linkbelow": (link, ("OUT", "/escaped")),
    "linkparents": (link, (f"{UP}OUT", "/escaped")),
    "linkinplace": (link, ("OUT/kept", "")),
    "recordparents": (record_only, (f"{UP}OUT/kept",)),
    "recordabsolute": (record_only, ("OUT/kept",)),
    "sourceparents": (source, (f"{UP}OUT/escaped", tarfile.REGTYPE)),
    "sourceabsolute": (source, ("OUT/escaped", tarfile.REGTYPE)),
    "sourcelink": (source, ("OUT", tarfile.SYMTYPE)),
    "sourcehardlink": (source, ("OUT/kept", tarfile.LNKTYPE)),
}


def contents(directory: Path) -> dict[str, str]:
    """Return the kind and contents of everything in a directory, by path; links are not followed."""
    found = {}
    for at, directories, files in os.walk(directory):
        for name in [*directories, *files]:
            path = Path(at, name)
            if path.is_symlink():
                found[str(path)] = f"-> {path.readlink()}"
            elif path.is_file():
                digest = hashlib.sha256(path.read_bytes()).hexdigest()
                found[str(path)] = f"{stat.filemode(path.stat().st_mode)} {digest}"
            else:
                found[str(path)] = "directory"
    return found


@pytest.fixture(scope="module")
def applied(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Host, Ran, Path, dict[str, str]]]:
    """Yield a host, the result of its apply, a directory of the user, and the contents outside before the apply."""
    top = tmp_path_factory.mktemp("reach")
    outside = top / "outside"
    outside.mkdir()
    (outside / "kept").write_text("kept")
    with new_host(top) as host:
        host.env["XDG_STATE_HOME"] = str(Path(key_path()).parents[1])  # the key of this process, whatever HOME is
        host.env["HOME"] = str(outside)
        host.manifest("good: {python: '>=3.11', packages: [beta]}\n")
        host.apply()
        before = {**contents(outside), **contents(host.venv("good").resolve().parent)}
        for name, (make, paths) in ARCHIVES.items():
            make(host, name, *(each.replace("OUT", str(outside)) if isinstance(each, str) else each for each in paths))
        entries = "".join(f"{name}: {{python: '>=3.11', packages: [{name}]}}\n" for name in ["good", *ARCHIVES])
        host.manifest(entries.replace("packages: [good]", "packages: [beta]"))
        yield host, host.envsync("apply", "--yes", "--output", "json", "--no-gc"), outside, before


def test_nothing_outside_is_written_replaced_or_deleted(applied: tuple[Host, Ran, Path, dict[str, str]]) -> None:
    host, _, outside, before = applied
    assert {**contents(outside), **contents(host.venv("good").resolve().parent)} == before
    escaped = [each for each in contents(host.directory.parent) if each.endswith("/escaped")]
    assert not [each for each in escaped if ".envsync" not in each]
    assert not Path("/escaped").exists()


@pytest.mark.parametrize("name", ARCHIVES)
def test_the_archive_is_refused_or_stays_inside(name: str, applied: tuple[Host, Ran, Path, dict[str, str]]) -> None:
    host, ran, _, _ = applied
    if not published(host, name):
        failure = finished(ran)[name]["failure"]
        assert failure["code"] in {"damaged-cache", "file-damaged"}, failure
        assert failure["hint"]
        return
    site = host.site_packages(name)
    assert not [path for path in site.rglob("*") if path.is_symlink()], "a link could point to the outside"
    with (site / f"{name}-1.0.dist-info/RECORD").open(newline="") as record:
        for path, *_ in csv.reader(record):
            inside = os.path.normpath(Path("lib/python3/site-packages", path))
            assert not inside.startswith(("..", "/")), "an uninstall would delete a file outside"
