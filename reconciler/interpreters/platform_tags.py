"""Which compiled wheels run with an interpreter: the platform part of its tags (PEP 425, 600 and 656).

They depend on the interpreter, not on this process: a 32-bit or an emulated interpreter has another machine, and one in
another directory can have another C library.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from packaging import tags as pep425

_LEGACY = {(2, 17): "manylinux2014", (2, 12): "manylinux2010", (2, 5): "manylinux1"}
_MANYLINUX_64_BIT = frozenset({"x86_64", "aarch64", "ppc64", "ppc64le", "s390x", "loongarch64", "riscv64"})
_OLDEST_MINOR, _OLDEST_MINOR_X86 = 17, 5  # of glibc 2, for which such wheels exist
_NARROW = {"x86_64": "i686", "aarch64": "armv8l"}  # what a 32-bit program sees on a 64-bit system


@dataclass(frozen=True, slots=True, kw_only=True)
class Platform:
    """What an interpreter reports about the platform that it runs on.

    `name` is `sysconfig.get_platform()`, `bits` 32 or 64. `glibc` and `musl` are the version of its C library, empty if
    it has a different one. `hard_float` is about ARM with 32 bits. `macos` and `macos_machine` are what
    `platform.mac_ver()` returns.
    """

    name: str
    bits: int
    glibc: str = ""
    musl: str = ""
    hard_float: bool = False
    macos: str = ""
    macos_machine: str = ""


def platform_tags(platform: Platform) -> Iterator[str]:
    """Yield the platform tags, best first, and plain `linux` last; raises ValueError if the facts make no sense."""
    system, _, machine = platform.name.partition("-")
    if system == "macosx":
        major, minor = (int(part) for part in f"{platform.macos}.0".split(".")[:2])
        yield from pep425.mac_platforms((major, minor), platform.macos_machine)
    elif system == "linux":
        yield from _linux_tags(platform, _normalized(machine))
    else:
        yield _normalized(platform.name)


def _linux_tags(platform: Platform, machine: str) -> Iterator[str]:
    machine = _NARROW.get(machine, machine) if platform.bits == 32 else machine
    machines = [machine, "armv7l"] if machine == "armv8l" else [machine]
    glibc, musl = _version(platform.glibc), _version(platform.musl)
    if glibc is not None and _has_manylinux(platform, machines):
        for each in machines:
            for minor in range(
                glibc[1], (_OLDEST_MINOR_X86 if machine in {"x86_64", "i686"} else _OLDEST_MINOR) - 1, -1
            ):
                yield f"manylinux_{glibc[0]}_{minor}_{each}"
                if legacy := _LEGACY.get((glibc[0], minor)):
                    yield f"{legacy}_{each}"
    if musl is not None:
        for each in machines:
            yield from (f"musllinux_{musl[0]}_{minor}_{each}" for minor in range(musl[1], -1, -1))
    yield from (f"linux_{each}" for each in machines)


def _has_manylinux(platform: Platform, machines: list[str]) -> bool:
    """Return whether manylinux has a binary interface for the machine; 32-bit ARM has one only with hard float."""
    if "armv7l" in machines:
        return platform.bits == 32 and platform.hard_float
    return "i686" in machines or not _MANYLINUX_64_BIT.isdisjoint(machines)


def _version(text: str) -> tuple[int, int] | None:
    """Return major and minor version; `2.20-2014.11` of a patched C library is 2.20."""
    found = re.match(r"([0-9]{1,3})\.([0-9]{1,3})", text)
    return (int(found[1]), int(found[2])) if found else None


def _normalized(text: str) -> str:
    return re.sub(r"[.\- ]", "_", text)
