"""What a system may lack, and how a program is started as if it lacked it: with real errors of the kernel.

A seccomp filter lets the chosen system calls fail for a program and all its children. Other things are
taken away in other ways: /proc by a mount, `confstr` by a library that is loaded first.
"""

import errno
import shutil
import struct
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tests.faults.calls import CALLS, CHANGE_NO_FILE, install_filter

_LOAD, _EQUAL, _RETURN = 0x20, 0x15, 0x06
_X86_64, _ALLOW, _FAIL = 0xC000003E, 0x7FFF0000, 0x00050000
_NUMBERS = {name: number for number, name in (CALLS | CHANGE_NO_FILE).items()}
_WITHOUT_PROC = ("unshare", "--mount", "sh", "-c", 'mount -t tmpfs none /proc && exec "$@"', "sh")


@dataclass(frozen=True, slots=True, kw_only=True)
class Missing:
    """Something that a system may lack: its name, and where that was seen.

    `calls` are the system calls that fail with `error`. `prefix` is a command that starts the program instead.
    `confstr` takes away the C library's answers about itself.
    """

    fact: str
    where: str
    calls: tuple[str, ...] = ()
    error: int = 0
    prefix: tuple[str, ...] = ()
    confstr: bool = False

    def __str__(self) -> str:
        return f"{self.fact}: {errno.errorcode[self.error]}" if self.error else self.fact

    def prepare(self) -> Callable[[], None] | None:
        """Return what the started process must do before it becomes the program."""
        if not self.calls:
            return None
        code = failing_filter(self.calls, self.error)
        return lambda: install_filter(code)

    def variables(self, directory: Path) -> Mapping[str, str]:
        """Return the environment variables that the program needs; `directory` is for files."""
        return {"LD_PRELOAD": str(_library_without_confstr(directory))} if self.confstr else {}

    def lacks(self) -> str:
        """Return why this cannot be tried here, empty if it can."""
        for program in (*self.prefix[:1], *(("gcc",) if self.confstr else ())):
            if shutil.which(program) is None:
                return f"needs the program {program}"
        if self.prefix and subprocess.run([*self.prefix, "true"], capture_output=True, check=False).returncode != 0:
            return "needs root, to mount a file system"
        return ""


def failing_filter(names: Sequence[str], error: int) -> bytes:
    """Return the BPF program that lets the system calls of these names fail with an errno."""
    program = [(_LOAD, 0, 0, 4), (_EQUAL, 1, 0, _X86_64), (_RETURN, 0, 0, _ALLOW), (_LOAD, 0, 0, 0)]
    for name in names:
        program += [(_EQUAL, 0, 1, _NUMBERS[name]), (_RETURN, 0, 0, _FAIL | error)]
    program.append((_RETURN, 0, 0, _ALLOW))
    return b"".join(struct.pack("HBBI", *each) for each in program)


@cache
def _library_without_confstr(directory: Path) -> Path:
    """Compile a library whose `confstr` knows nothing, as that of musl."""
    source, library = directory / "confstr.c", directory / "confstr.so"
    source.write_text(
        "#include <errno.h>\n#include <stddef.h>\n"
        "size_t confstr(int name, char *text, size_t size) { errno = EINVAL; return 0; }\n",
        encoding="utf-8",
    )
    subprocess.run(["gcc", "-shared", "-fPIC", "-o", library, source], check=True)
    return library


def _each(fact: str, where: str, calls: str, errors: str) -> tuple[Missing, ...]:
    numbers = (int(getattr(errno, each)) for each in errors.split())
    return tuple(Missing(fact=fact, where=where, calls=tuple(calls.split()), error=each) for each in numbers)


MISSING: tuple[Missing, ...] = (
    *_each(
        "file locks", "NFS without a lock manager, Lustre without `-o flock`, FUSE",
        "flock",
        "ENOLCK ENOSYS EOPNOTSUPP EBADF EINVAL",
    ),
    *_each("hard links", "FAT, CIFS, some FUSE", "link linkat", "EPERM EOPNOTSUPP EMLINK EXDEV ENOSYS"),
    *_each(
        "symbolic links", "FAT, CIFS, /mnt/c without developer mode",
        "symlink symlinkat",
        "EPERM EOPNOTSUPP ENOSYS",
    ),
    *_each("modes", "CIFS, /mnt/c without metadata", "chmod fchmod fchmodat fchmodat2", "EPERM EOPNOTSUPP"),
    *_each("owners", "NFS with root_squash, FUSE", "chown fchown lchown fchownat", "EPERM"),
    *_each("times of files", "some FUSE", "utime utimes utimensat", "EPERM ENOSYS"),
    *_each("flush of a file", "FUSE, gVisor", "fsync fdatasync", "EINVAL ENOSYS"),
    *_each("flush of a file system", "old kernels, gVisor, seccomp", "syncfs", "ENOSYS EPERM"),
    *_each("exchange of two paths", "NFS, CIFS, overlayfs, old kernels", "renameat2", "EINVAL ENOSYS"),
    *_each(
        "extended attributes", "NFSv3, some FUSE",
        "getxattr lgetxattr fgetxattr setxattr lsetxattr fsetxattr listxattr llistxattr flistxattr",
        "EOPNOTSUPP ENOSYS",
    ),
    *_each("prctl", "gVisor, seccomp", "prctl", "EINVAL EPERM"),
    *_each("affinity", "seccomp", "sched_getaffinity", "ENOSYS EPERM"),
    *_each("memory files", "seccomp, old kernels", "memfd_create", "ENOSYS EPERM"),
    *_each("copies in the kernel", "old kernels, FUSE", "copy_file_range sendfile splice", "ENOSYS EINVAL"),
    *_each("preallocation", "NFSv3, FUSE", "fallocate", "EOPNOTSUPP"),
    *_each(
        "new system calls", "old kernels, seccomp",
        "openat2 statx close_range clone3 faccessat2 pidfd_open epoll_pwait2",
        "ENOSYS",
    ),
    Missing(fact="/proc", where="a chroot, hidden by a mount", prefix=_WITHOUT_PROC),
    Missing(fact="confstr", where="musl", confstr=True),
)  # fmt: skip
