"""Run a program and stop it before every system call that changes a file. There it is killed, or the call fails.

This does not use strace, which counts calls by thread: apply works in threads, so most calls of a worker could not be
named. Here calls are counted over the whole process, and only those that change real files.
"""

import ctypes
import errno
import os
import platform
import re
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, TypeAlias

from tests.faults.calls import BELOW_DIRECTORY, BY_DESCRIPTOR, BY_THIRD_DESCRIPTOR, CALLS, stop_before_calls

CAN_TRACE = sys.platform == "linux" and platform.machine() == "x86_64"

Whose: TypeAlias = Literal["own", "children"]

_TRACEME, _CONT, _GETREGS, _SETREGS, _SETOPTIONS, _GETEVENTMSG = 0, 7, 12, 13, 0x4200, 0x4201
_OPTIONS = 0x2 | 0x4 | 0x8 | 0x10 | 0x80 | 0x100000  # fork, vfork, clone, exec, seccomp; kill all if this process dies
_BORN = (1, 2, 3)  # the events of fork, vfork and clone; their message is the id of the new task
_SECCOMP_STOP = 7
_ALL_THREADS = 0x40000000  # __WALL
_RAX, _RDX, _RSI, _RDI, _ORIG_RAX = 10, 12, 13, 14, 15  # of these, RDI, RSI and RDX have the first three arguments
_Registers = ctypes.c_ulonglong * 27
_AT_FDCWD = 0xFFFFFF9C

_libc = ctypes.CDLL(None, use_errno=True)
_libc.ptrace.argtypes = (ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p)
_libc.ptrace.restype = ctypes.c_long


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """A fault before call number `at` (from 1) of the program itself, or of its children.

    `only` counts only calls of this name with a file of this name (`rename seal.json`, `write .web.json.tmp`).
    `error` is an errno; None kills the calling process, or with `parent` the program itself. A `lasting` error happens
    for every later call of `calls` too. The call `absent` always fails with ENOSYS, as on a system without it.
    """

    whose: Whose
    at: int
    error: int | None = None
    parent: bool = False
    lasting: bool = False
    calls: frozenset[str] = frozenset()
    only: str = ""
    absent: str = ""


@dataclass(frozen=True, slots=True)
class Call:
    """One system call before it is made: its name, and the path of its file or descriptor."""

    name: str
    path: str


@dataclass(slots=True)
class Traced:
    """The result of the program: `code` is negative for a signal, `hit` is the call with the fault.

    `unlisted` are the numbers of the calls that are in no list of `tests.faults.calls`.
    """

    code: int = 0
    out: str = ""
    err: str = ""
    hit: Call | None = None
    calls: dict[Whose, list[Call]] = field(default_factory=lambda: {"own": [], "children": []})
    unlisted: set[int] = field(default_factory=set)


def trace(
    argv: Sequence[str],
    *,
    cwd: Path,
    env: Mapping[str, str],
    output_directory: Path,
    fault: Fault | None = None,
    before_kill: Callable[[], None] | None = None,
) -> Traced:
    """Run `argv` until it and all its children have ended; its output goes to files in `output_directory`.

    `before_kill` is called just before a fault kills; the calling thread is stopped then, its other threads are not.
    Raises RuntimeError if a call was made that is in no list, because it could have changed a file.
    """
    out, err = output_directory / "out", output_directory / "err"
    pid = os.fork()
    if pid == 0:
        _become(argv, cwd, env, out, err)
    os.waitpid(pid, _ALL_THREADS)
    _ptrace(_SETOPTIONS, pid, _OPTIONS)
    _ptrace(_CONT, pid, 0)
    traced = Traced()
    _Following(pid, traced, fault, before_kill).follow()
    if traced.unlisted:
        raise RuntimeError(f"system calls that are in no list of tests/faults/calls.py: {sorted(traced.unlisted)}")
    traced.out, traced.err = (each.read_text("utf-8", "replace") for each in (out, err))
    return traced


class _Following:
    """Follows one program and its children until all have ended."""

    def __init__(
        self, pid: int, traced: Traced, fault: Fault | None, before_kill: Callable[[], None] | None = None
    ) -> None:
        self.pid, self.traced, self.fault, self.before_kill = pid, traced, fault, before_kill
        self.process_of: dict[int, int] = {}
        self.seen = {pid}
        self.live, self.ended = {pid}, set[int]()
        self.counted = 0

    def follow(self) -> None:
        while self.live:  # this process may have other children, which continue
            try:
                task, status = os.waitpid(-1, _ALL_THREADS)
            except ChildProcessError:
                return
            if not os.WIFSTOPPED(status):
                self.ended.add(task)
                self.live.discard(task)
                if task == self.pid:
                    self.traced.code = os.waitstatus_to_exitcode(status)
                continue
            self.live.add(task)
            number, event = os.WSTOPSIG(status), status >> 16
            if event in _BORN:
                self._is_born(task)
            if event == _SECCOMP_STOP:
                self._before_call(task)
            first_stop = number == signal.SIGSTOP and task not in self.seen
            self.seen.add(task)
            _ptrace(_CONT, task, 0 if event or first_stop else number)

    def _is_born(self, parent: int) -> None:
        """Add the task that `parent` just made; its first stop may come later."""
        child = ctypes.c_ulong()
        if _libc.ptrace(_GETEVENTMSG, parent, None, ctypes.byref(child)) >= 0 and child.value not in self.ended:
            self.live.add(child.value)

    def _before_call(self, task: int) -> None:
        registers = _Registers()
        if _libc.ptrace(_GETREGS, task, None, ctypes.byref(registers)) < 0:
            return  # it was killed in the meantime
        if registers[_ORIG_RAX] not in CALLS:
            self.traced.unlisted.add(int(registers[_ORIG_RAX]))
            return
        call = _call(task, registers)
        if call is None:
            return
        process = self._process(task)
        whose: Whose = "own" if process == self.pid else "children"
        self.traced.calls[whose].append(call)
        fault = self.fault
        if fault is not None and call.name == fault.absent:
            _fail(task, registers, errno.ENOSYS)
            return
        if fault is None or whose != fault.whose or fault.only not in {"", f"{call.name} {_file_name(call)}"}:
            return
        self.counted += 1
        if fault.error is None:
            if self.counted == fault.at:
                self.traced.hit = call
                if self.before_kill:
                    self.before_kill()
                os.kill(self.pid if fault.parent else process, signal.SIGKILL)
        elif self.counted == fault.at or (fault.lasting and self.counted > fault.at and call.name in fault.calls):
            self.traced.hit = self.traced.hit or call
            _fail(task, registers, fault.error)

    def _process(self, task: int) -> int:
        """Return the process that a thread belongs to."""
        if task not in self.process_of:
            text = Path(f"/proc/{task}/status").read_text(encoding="utf-8")
            self.process_of[task] = int(text.split("Tgid:")[1].split(maxsplit=1)[0])
        return self.process_of[task]


def _file_name(call: Call) -> str:
    """Return the name of a call's file, without the process number in the name of a temporary file."""
    return re.sub(r"\.[1-9][0-9]*(\.[0-9a-f]{16})?\.tmp$", ".tmp", Path(call.path).name)


def _fail(task: int, registers: "ctypes.Array[ctypes.c_ulonglong]", error: int) -> None:
    """Skip the call that a task is about to make; it gets `error` (an errno) as the result."""
    registers[_ORIG_RAX] = 0xFFFFFFFFFFFFFFFF
    registers[_RAX] = 0x10000000000000000 - error
    _libc.ptrace(_SETREGS, task, None, ctypes.byref(registers))


def _become(argv: Sequence[str], cwd: Path, env: Mapping[str, str], out: Path, err: Path) -> None:
    """Replace the forked child by the program; it stops once for its tracer."""
    try:
        os.chdir(cwd)
        for descriptor, path in ((1, out), (2, err)):
            os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), descriptor)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        _ptrace(_TRACEME, 0, 0)
        os.kill(os.getpid(), signal.SIGSTOP)
        stop_before_calls()
        os.execve(argv[0], list(argv), dict(env))  # noqa: S606
    finally:
        os._exit(126)


def _call(task: int, registers: "ctypes.Array[ctypes.c_ulonglong]") -> Call | None:
    """Return the call that will be made; None if it is not about a file (but a pipe, a terminal, /dev/null)."""
    name = CALLS[registers[_ORIG_RAX]]
    first, second, third = (int(registers[each]) for each in (_RDI, _RSI, _RDX))
    try:
        if name in BY_DESCRIPTOR or (name in BELOW_DIRECTORY and not second):  # utimensat without a path
            if name in {"write", "writev"} and first in {1, 2}:
                return None
            path = _opened(task, first)
        elif name in BY_THIRD_DESCRIPTOR:
            path = _opened(task, third)
        elif name in BELOW_DIRECTORY:
            path = _below(task, first, second)
        elif name == "symlinkat":
            path = _below(task, second, third)
        elif name == "symlink":
            path = _text(task, second)
        else:
            path = _text(task, first)
    except OSError:
        return None
    if path.startswith(("/dev/", "/proc/", "/memfd:", "pipe:", "socket:", "anon_inode:")):
        return None
    return Call(name, path)


def _below(task: int, directory: int, address: int) -> str:
    """Return the path at `address` below the directory with this descriptor, or in the working directory."""
    path = _text(task, address)
    return path if path.startswith("/") or directory & 0xFFFFFFFF == _AT_FDCWD else f"{_opened(task, directory)}/{path}"


def _opened(task: int, descriptor: int) -> str:
    return str(Path(f"/proc/{task}/fd/{descriptor & 0xFFFFFFFF}").readlink())


def _text(task: int, address: int) -> str:
    with Path(f"/proc/{task}/mem").open("rb", buffering=0) as memory:
        memory.seek(address)
        content = memory.read(4096 - address % 4096)  # the next page may not be mapped
        if b"\0" not in content:
            content += memory.read(4096)
    return os.fsdecode(content.split(b"\0", 1)[0])


def _ptrace(request: int, pid: int, value: int) -> None:
    if _libc.ptrace(request, pid, None, value) < 0 and ctypes.get_errno() != 3:  # ESRCH: killed in the meantime
        raise OSError(ctypes.get_errno(), f"ptrace {request}")
