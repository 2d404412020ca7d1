"""The system calls that change files (Linux, x86-64), and the seccomp filter that stops a program before them.

A call that is in none of the lists stops the program too, and the tracer refuses it: it could change a file unnoticed.
"""

import ctypes
import os
import struct
from typing import Literal, TypeAlias

Kind: TypeAlias = Literal[
    "open", "write", "resize", "flush", "rename", "link", "symlink", "make", "mkdir", "unlink", "rmdir", "chmod",
    "chown", "utime", "xattr", "lock",
]  # fmt: skip
CALLS_OF: dict[Kind, dict[int, str]] = {
    "open": {2: "open", 85: "creat", 257: "openat", 437: "openat2"},
    "write": {
        1: "write", 16: "ioctl", 18: "pwrite64", 20: "writev", 40: "sendfile", 275: "splice", 296: "pwritev",
        326: "copy_file_range", 328: "pwritev2",
    },
    "resize": {76: "truncate", 77: "ftruncate", 285: "fallocate"},
    "flush": {74: "fsync", 75: "fdatasync", 277: "sync_file_range", 306: "syncfs"},
    "rename": {82: "rename", 264: "renameat", 316: "renameat2"},
    "link": {86: "link", 265: "linkat"},
    "symlink": {88: "symlink", 266: "symlinkat"},
    "make": {133: "mknod", 259: "mknodat"},
    "mkdir": {83: "mkdir", 258: "mkdirat"},
    "unlink": {87: "unlink", 263: "unlinkat"},  # unlinkat deletes directories too
    "rmdir": {84: "rmdir"},
    "chmod": {90: "chmod", 91: "fchmod", 268: "fchmodat", 452: "fchmodat2"},
    "chown": {92: "chown", 93: "fchown", 94: "lchown", 260: "fchownat"},
    "utime": {132: "utime", 235: "utimes", 261: "futimesat", 280: "utimensat"},
    "xattr": {
        188: "setxattr", 189: "lsetxattr", 190: "fsetxattr", 197: "removexattr", 198: "lremovexattr",
        199: "fremovexattr",
    },
    "lock": {73: "flock"},
}  # fmt: skip
CALLS = {number: name for calls in CALLS_OF.values() for number, name in calls.items()}
"""The name of each call that is stopped."""
BY_DESCRIPTOR = frozenset(
    {"write", "ioctl", "pwrite64", "writev", "sendfile", "pwritev", "pwritev2", "ftruncate", "fallocate", "fsync",
     "fdatasync", "sync_file_range", "syncfs", "fchmod", "fchown", "fsetxattr", "fremovexattr", "flock"}
)  # fmt: skip  # the first argument is the file descriptor
BY_THIRD_DESCRIPTOR = frozenset({"splice", "copy_file_range"})  # from the first argument to the third one
BELOW_DIRECTORY = frozenset(
    {"openat", "openat2", "renameat", "renameat2", "linkat", "mknodat", "mkdirat", "unlinkat", "fchmodat", "fchmodat2",
     "fchownat", "futimesat", "utimensat"}
)  # fmt: skip  # the first argument is the descriptor of a directory, the second a path in it

CHANGE_NO_FILE = {  # they read, or change only the process, its memory, its descriptors or sockets
    0: "read", 3: "close", 4: "stat", 5: "fstat", 6: "lstat", 7: "poll", 8: "lseek", 9: "mmap", 10: "mprotect",
    11: "munmap", 12: "brk", 13: "rt_sigaction", 14: "rt_sigprocmask", 15: "rt_sigreturn", 17: "pread64", 19: "readv",
    21: "access", 22: "pipe", 23: "select", 24: "sched_yield", 25: "mremap", 27: "mincore", 28: "madvise", 32: "dup",
    33: "dup2", 34: "pause", 35: "nanosleep", 36: "getitimer", 37: "alarm", 38: "setitimer", 39: "getpid",
    41: "socket", 42: "connect", 43: "accept", 44: "sendto", 45: "recvfrom", 46: "sendmsg", 47: "recvmsg",
    48: "shutdown", 49: "bind", 50: "listen", 51: "getsockname", 52: "getpeername", 53: "socketpair",
    54: "setsockopt", 55: "getsockopt", 56: "clone", 57: "fork", 58: "vfork", 59: "execve", 60: "exit", 61: "wait4",
    62: "kill", 63: "uname", 72: "fcntl", 78: "getdents", 79: "getcwd", 80: "chdir", 81: "fchdir", 89: "readlink",
    95: "umask", 96: "gettimeofday", 97: "getrlimit", 98: "getrusage", 99: "sysinfo", 100: "times", 102: "getuid",
    104: "getgid", 105: "setuid", 106: "setgid", 107: "geteuid", 108: "getegid", 109: "setpgid", 110: "getppid",
    111: "getpgrp", 112: "setsid", 113: "setreuid", 114: "setregid", 115: "getgroups", 116: "setgroups",
    117: "setresuid", 118: "getresuid", 119: "setresgid", 120: "getresgid", 121: "getpgid", 124: "getsid",
    125: "capget", 126: "capset", 127: "rt_sigpending", 128: "rt_sigtimedwait", 130: "rt_sigsuspend",
    131: "sigaltstack", 137: "statfs", 138: "fstatfs", 140: "getpriority", 141: "setpriority",
    143: "sched_getparam", 144: "sched_setscheduler", 145: "sched_getscheduler", 146: "sched_get_priority_max",
    147: "sched_get_priority_min", 149: "mlock", 150: "munlock", 157: "prctl", 158: "arch_prctl", 160: "setrlimit",
    186: "gettid", 187: "readahead", 191: "getxattr", 192: "lgetxattr", 193: "fgetxattr", 194: "listxattr",
    195: "llistxattr", 196: "flistxattr", 200: "tkill", 201: "time", 202: "futex", 203: "sched_setaffinity",
    204: "sched_getaffinity", 213: "epoll_create", 217: "getdents64", 218: "set_tid_address", 219: "restart_syscall",
    221: "fadvise64", 228: "clock_gettime", 229: "clock_getres", 230: "clock_nanosleep", 231: "exit_group",
    232: "epoll_wait", 233: "epoll_ctl", 234: "tgkill", 237: "mbind", 238: "set_mempolicy", 239: "get_mempolicy",
    247: "waitid", 253: "inotify_init", 254: "inotify_add_watch", 255: "inotify_rm_watch", 262: "newfstatat",
    267: "readlinkat", 269: "faccessat", 270: "pselect6", 271: "ppoll", 273: "set_robust_list",
    274: "get_robust_list", 276: "tee", 281: "epoll_pwait", 282: "signalfd", 283: "timerfd_create", 284: "eventfd",
    286: "timerfd_settime", 287: "timerfd_gettime", 288: "accept4", 289: "signalfd4", 290: "eventfd2",
    291: "epoll_create1", 292: "dup3", 293: "pipe2", 294: "inotify_init1", 295: "preadv", 299: "recvmmsg",
    302: "prlimit64", 307: "sendmmsg", 309: "getcpu", 314: "sched_setattr", 315: "sched_getattr", 317: "seccomp",
    318: "getrandom", 319: "memfd_create", 322: "execveat", 324: "membarrier", 325: "mlock2", 327: "preadv2",
    332: "statx", 334: "rseq", 424: "pidfd_send_signal", 434: "pidfd_open", 435: "clone3", 436: "close_range",
    439: "faccessat2", 441: "epoll_pwait2", 449: "futex_waitv",
}  # fmt: skip

_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC
_FLAGS_AT = {2: 24, 257: 32}  # open, openat: where struct seccomp_data has the flags
_IOCTL, _REQUEST_AT = 16, 24
_CLONING = (0x40049409, 0x4020940D, 0xC0189436)  # FICLONE, FICLONERANGE, FIDEDUPERANGE: they write a whole file
_X86_64 = 0xC000003E
_ALLOW, _TRACE = 0x7FFF0000, 0x7FF00000
_LOAD, _EQUAL, _ANY_BIT, _RETURN = 0x20, 0x15, 0x45, 0x06
_PR_SET_NO_NEW_PRIVS, _PR_SET_SECCOMP, _FILTER_MODE = 38, 22, 2


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_void_p))


def stop_before_calls() -> None:
    """Make the kernel stop this process and all its children for the tracer before each of `CALLS`."""
    install_filter(_filter())


def install_filter(code: bytes) -> None:
    """Let the kernel ask a BPF program about each system call of this process and all its children."""
    libc = ctypes.CDLL(None, use_errno=True)
    buffer = ctypes.create_string_buffer(code, len(code))
    program = _Program(len(code) // 8, ctypes.addressof(buffer))
    if libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) or libc.prctl(
        _PR_SET_SECCOMP, _FILTER_MODE, ctypes.byref(program), 0, 0
    ):
        raise OSError(ctypes.get_errno(), "seccomp")


def _filter() -> bytes:
    """Return the BPF program; it counts an open only if the file is opened for writing, an ioctl only if it writes."""
    program = [(_LOAD, 0, 0, 4), (_EQUAL, 1, 0, _X86_64), (_RETURN, 0, 0, _ALLOW), (_LOAD, 0, 0, 0)]
    for number in CHANGE_NO_FILE:
        program += [(_EQUAL, 0, 1, number), (_RETURN, 0, 0, _ALLOW)]
    for number, place in _FLAGS_AT.items():
        program += [
            (_EQUAL, 0, 4, number),
            (_LOAD, 0, 0, place),
            (_ANY_BIT, 0, 1, _WRITING),
            (_RETURN, 0, 0, _TRACE),
            (_RETURN, 0, 0, _ALLOW),
        ]
    program += [(_EQUAL, 0, 2 + 2 * len(_CLONING), _IOCTL), (_LOAD, 0, 0, _REQUEST_AT)]
    for request in _CLONING:
        program += [(_EQUAL, 0, 1, request), (_RETURN, 0, 0, _TRACE)]
    program += [(_RETURN, 0, 0, _ALLOW), (_RETURN, 0, 0, _TRACE)]
    return b"".join(struct.pack("HBBI", *each) for each in program)
