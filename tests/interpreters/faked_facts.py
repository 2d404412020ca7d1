"""Twenty interpreters of other platforms: what each one reports, and what `packaging` finds out in it.

The facts come from where an interpreter gets them (the C library, the header of its program, sysconfig), and are faked
there. So the query of envsync and the code that pip vendors both run against the same faked system, in a child process.
"""

import ctypes
import json
import os
import platform
import struct
import subprocess
import sys
import sysconfig
import tempfile
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from packaging import tags as pep425


@dataclass(frozen=True, slots=True, kw_only=True)
class Faked:
    """An interpreter that does not exist here. `machine` is that of its ELF header, `flags` are the header's flags.

    `suffix` is that of compiled modules; only other implementations have one here, and `name` is then theirs.
    """

    name: str
    platform: str
    version: tuple[int, int] = (3, 12)
    bits: int = 64
    glibc: str = ""
    musl: str = ""
    machine: int = 62
    flags: int = 0
    mac: tuple[str, str] = ("", "")
    suffix: str = ""
    free_threaded: bool = False
    debug: bool = False

    def __str__(self) -> str:
        return self.name


FAKED = (
    Faked(name="x86-64, glibc 2.17", platform="linux-x86_64", glibc="2.17"),
    Faked(name="x86-64, glibc 2.5, Python 3.9", platform="linux-x86_64", glibc="2.5", version=(3, 9)),
    Faked(name="x86-64, patched glibc", platform="linux-x86_64", glibc="2.28-2024.11", version=(3, 14)),
    Faked(name="aarch64, glibc 2.39", platform="linux-aarch64", glibc="2.39", machine=183),
    Faked(name="32 bits on x86-64", platform="linux-x86_64", glibc="2.31", bits=32, machine=3),
    Faked(name="i686", platform="linux-i686", glibc="2.12", bits=32, machine=3),
    Faked(name="32 bits on aarch64", platform="linux-aarch64", glibc="2.36", bits=32, machine=40, flags=0x05000400),
    Faked(name="armv7l with hard float", platform="linux-armv7l", glibc="2.31", bits=32, machine=40, flags=0x05000400),
    Faked(name="armv7l with soft float", platform="linux-armv7l", glibc="2.31", bits=32, machine=40, flags=0x05000200),
    Faked(name="ppc64le", platform="linux-ppc64le", glibc="2.34", machine=21),
    Faked(name="s390x", platform="linux-s390x", glibc="2.28", machine=22),
    Faked(name="riscv64", platform="linux-riscv64", glibc="2.36", machine=243),
    Faked(name="a machine without manylinux", platform="linux-mips64", glibc="2.36", machine=8),
    Faked(name="Alpine on x86-64", platform="linux-x86_64", musl="1.2.4"),
    Faked(name="Alpine on aarch64, Python 3.8", platform="linux-aarch64", musl="1.1.24", machine=183, version=(3, 8)),
    Faked(name="macOS 10.15 on Intel", platform="macosx-10.9-x86_64", mac=("10.15.7", "x86_64"), version=(3, 10)),
    Faked(name="macOS 14 on Apple silicon", platform="macosx-11.0-arm64", mac=("14.5", "arm64")),
    Faked(name="Rosetta", platform="macosx-10.9-universal2", mac=("14.5", "x86_64"), version=(3, 13)),
    Faked(name="free-threaded", platform="linux-x86_64", glibc="2.36", version=(3, 14), free_threaded=True),
    Faked(name="free-threaded debug build", platform="linux-x86_64", glibc="2.36", version=(3, 13), free_threaded=True,
          debug=True),
    Faked(name="debug build", platform="linux-x86_64", glibc="2.36", version=(3, 13), debug=True),
    Faked(name="pypy", platform="linux-x86_64", glibc="2.36", suffix=".pypy310-pp73-x86_64-linux-gnu.so"),
    Faked(name="graalpy", platform="linux-x86_64", glibc="2.36", suffix=".graalpy-242-311-native-x86_64-linux.so"),
)  # fmt: skip


def facts_and_tags(script: str) -> dict[str, tuple[dict[str, Any], list[str]]]:
    """Return what the query `script` prints in each interpreter, by name, and the tags that `packaging` finds there."""
    done = subprocess.run([sys.executable, "-m", __name__], input=script, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    return {row["name"]: (row["facts"], row["tags"]) for row in rows}


def _main() -> None:
    script = sys.stdin.read()
    with tempfile.TemporaryDirectory() as directory:
        for each in FAKED:
            child = os.fork()
            if child == 0:
                _fake(each, Path(directory))
                tags = [str(tag) for tag in pep425.sys_tags()]
                print(json.dumps({"name": each.name, "facts": _output(script), "tags": tags}), flush=True)
                os._exit(0)
            if os.waitpid(child, 0)[1]:
                sys.exit(f"{each.name} failed")


def _output(script: str) -> dict[str, Any]:
    printed: list[str] = []
    exec(script, {"print": printed.append})  # noqa: S102  # it reads the fakes of this process
    found: dict[str, Any] = json.loads(printed[0])
    return found


def _fake(each: Faked, directory: Path) -> None:
    """Make this process look like an interpreter, as far as tags depend on it."""

    def confstr(_name: str) -> str:
        if not each.glibc:
            raise OSError(22, "Invalid argument")
        return f"glibc {each.glibc}"

    def no_library(*_: object) -> None:
        raise OSError("not linked dynamically")

    variables = {
        "Py_GIL_DISABLED": int(each.free_threaded),
        "Py_DEBUG": int(each.debug),
        "EXT_SUFFIX": each.suffix or ".cpython.so",
        "SOABI": each.suffix.strip(".").removesuffix(".so"),
        "py_version_nodot": "".join(map(str, each.version)),
        "WITH_PYMALLOC": 1,
    }
    size = struct.calcsize
    fakes: tuple[tuple[Any, str, object], ...] = (
        (os, "confstr", confstr),
        (ctypes, "CDLL", no_library),
        (sysconfig, "get_platform", lambda: each.platform),
        (sysconfig, "get_config_var", variables.get),
        (sys, "version_info", (*each.version, 1, "final", 0)),
        (sys, "maxsize", 2 ** (each.bits - 1) - 1),
        (sys, "platform", "darwin" if each.mac[0] else "linux"),
        (
            sys,
            "implementation",
            SimpleNamespace(name=each.name if each.suffix else "cpython", version=sys.implementation.version),
        ),
        (sys, "executable", str(_program(each, directory))),
        (struct, "calcsize", lambda text: each.bits // 8 if text == "P" else size(text)),
        (platform, "system", lambda: "Darwin" if each.mac[0] else "Linux"),
        (platform, "mac_ver", lambda: (each.mac[0], ("", "", ""), each.mac[1])),
        (platform, "python_version", lambda: "{}.{}.1".format(*each.version)),
        (platform, "python_version_tuple", lambda: (*map(str, each.version), "1")),
    )
    if each.debug:
        fakes += ((sys, "gettotalrefcount", int),)
    for owner, name, value in fakes:
        setattr(owner, name, value)
    narrow = each.bits == 32  # it was computed when the module was imported
    pep425._linux_platforms.__defaults__ = (narrow,)
    pep425._mac_arch.__defaults__ = (narrow,)


def _program(each: Faked, directory: Path) -> Path:
    """Write the ELF header of an interpreter, with the loader of musl if it has that, and return its path."""
    loader = directory / f"ld-{'musl' if each.musl else 'linux'}.so"
    loader.write_text(f"#!/bin/sh\nprintf 'musl libc\\nVersion {each.musl}\\n' >&2\nexit 1\n", encoding="ascii")
    loader.chmod(0o755)
    text = os.fsencode(loader) + b"\0"
    order = ">" if each.machine in {8, 22} else "<"
    magic = b"\x7fELF" + bytes([1 if each.bits == 32 else 2, 2 if order == ">" else 1, 1]) + bytes(9)
    if each.bits == 32:
        head = struct.pack(f"{order}HHIIIIIHHHHHH", 2, each.machine, 1, 0, 52, 0, each.flags, 52, 32, 1, 0, 0, 0)
        entry = struct.pack(f"{order}IIIIIIII", 3, 84, 0, 0, len(text), len(text), 4, 1)
    else:
        head = struct.pack(f"{order}HHIQQQIHHHHHH", 2, each.machine, 1, 0, 64, 0, each.flags, 64, 56, 1, 0, 0, 0)
        entry = struct.pack(f"{order}IIQQQQQQ", 3, 4, 120, 0, 0, len(text), len(text), 1)
    path = directory / "python"
    path.write_bytes(magic + head + entry + text)
    return path


if __name__ == "__main__":
    _main()
