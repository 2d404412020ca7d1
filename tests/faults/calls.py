"""The system calls that change files (Linux, x86-64), and the seccomp filter that stops a program before them."""

import ctypes
import os
import struct

CALLS = {
    1: "write", 2: "open", 18: "pwrite64", 20: "writev", 40: "sendfile", 73: "flock", 74: "fsync", 75: "fdatasync",
    76: "truncate", 77: "ftruncate", 82: "rename", 83: "mkdir", 84: "rmdir", 85: "creat", 86: "link", 87: "unlink",
    88: "symlink", 90: "chmod", 91: "fchmod", 132: "utime", 235: "utimes", 257: "openat", 258: "mkdirat",
    263: "unlinkat", 264: "renameat", 265: "linkat", 266: "symlinkat", 268: "fchmodat", 280: "utimensat",
    285: "fallocate", 306: "syncfs", 316: "renameat2", 326: "copy_file_range", 452: "fchmodat2",
}  # fmt: skip
BY_DESCRIPTOR = frozenset(
    {"write", "pwrite64", "writev", "flock", "fsync", "fdatasync", "ftruncate", "fchmod", "fallocate", "syncfs"}
)  # the first argument is the file descriptor
BELOW_DIRECTORY = frozenset({"openat", "mkdirat", "unlinkat", "renameat", "renameat2", "fchmodat", "utimensat"})

_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC
_FLAGS_AT = {2: 24, 257: 32}  # open, openat: where struct seccomp_data has the flags
_X86_64 = 0xC000003E
_ALLOW, _TRACE = 0x7FFF0000, 0x7FF00000
_LOAD, _EQUAL, _ANY_BIT, _RETURN = 0x20, 0x15, 0x45, 0x06
_PR_SET_NO_NEW_PRIVS, _PR_SET_SECCOMP, _FILTER_MODE = 38, 22, 2


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_void_p))


def stop_before_calls() -> None:
    """Make the kernel stop this process and all its children for the tracer before each of `CALLS`."""
    libc = ctypes.CDLL(None, use_errno=True)
    code = _filter()
    buffer = ctypes.create_string_buffer(code, len(code))
    program = _Program(len(code) // 8, ctypes.addressof(buffer))
    if libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) or libc.prctl(
        _PR_SET_SECCOMP, _FILTER_MODE, ctypes.byref(program), 0, 0
    ):
        raise OSError(ctypes.get_errno(), "seccomp")


def _filter() -> bytes:
    """Return the BPF program; it counts an open only if the file is opened for writing."""
    program = [(_LOAD, 0, 0, 4), (_EQUAL, 1, 0, _X86_64), (_RETURN, 0, 0, _ALLOW), (_LOAD, 0, 0, 0)]
    for number in CALLS:
        if number in _FLAGS_AT:
            program += [
                (_EQUAL, 0, 4, number),
                (_LOAD, 0, 0, _FLAGS_AT[number]),
                (_ANY_BIT, 0, 1, _WRITING),
                (_RETURN, 0, 0, _TRACE),
                (_RETURN, 0, 0, _ALLOW),
            ]
        else:
            program += [(_EQUAL, 0, 1, number), (_RETURN, 0, 0, _TRACE)]
    program.append((_RETURN, 0, 0, _ALLOW))
    return b"".join(struct.pack("HBBI", *each) for each in program)
