"""`envsync` as a process of its own that has its imports behind it: a server has made them once, and forks for each.

A third of a second less, some thousand times. What would change how Python itself starts is started as a person would:
`start_afresh` tells. Start-up as such has tests of its own (`tests/unchanged`, `tests/cli`), which do not come here.
"""

import atexit
import json
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import traceback
from collections.abc import Mapping
from contextlib import suppress
from functools import cache
from pathlib import Path

_MOST_SECONDS = 300
_LENGTH = 1 << 20  # of one request or answer


def start_afresh(env: Mapping[str, str], usual: Mapping[str, str]) -> bool:
    """Say whether an environment differs from the usual one in what Python reads when it starts."""
    return any(
        name.startswith(("PYTHON", "LC_", "LANG", "TZ", "LD_")) and env.get(name) != usual.get(name)
        for name in {*env, *usual}
    )


def run_preloaded(arguments: tuple[str, ...], *, cwd: Path, env: Mapping[str, str], stdin: str) -> tuple[int, str, str]:
    """Run `envsync` with `arguments`; return its exit code and what it wrote to standard output and error."""
    umask = os.umask(0)
    os.umask(umask)
    request = {"arguments": arguments, "cwd": str(cwd), "env": dict(env), "umask": umask}
    with (
        tempfile.TemporaryFile() as given,
        tempfile.TemporaryFile() as out,
        tempfile.TemporaryFile() as err,
        socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as server,
    ):
        given.write(stdin.encode())
        given.seek(0)
        server.settimeout(_MOST_SECONDS)
        server.connect(_server(os.getpid()))
        socket.send_fds(server, [json.dumps(request).encode()], [given.fileno(), out.fileno(), err.fileno()])
        answer = server.recv(_LENGTH)
        texts = []
        for file in (out, err):
            file.seek(0)
            texts.append(file.read().decode().replace("\r\n", "\n"))
    assert answer, f"it ended without an exit code: {texts}"
    return int(answer), texts[0], texts[1]


@cache
def _server(_pid: int) -> str:
    """Start this process's server; return the address of its socket."""
    from tests.host import base_environment

    address = f"\0envsync-tests-{os.getpid()}-{os.urandom(8).hex()}"
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    listening.bind(address)
    listening.listen(64)
    server = subprocess.Popen(
        [sys.executable, "-m", "tests.preloaded", str(listening.fileno())],
        cwd=Path(__file__).parent.parent,
        env=base_environment(),
        pass_fds=(listening.fileno(),),
        stdin=subprocess.PIPE,  # it ends with us, however we end
    )
    listening.close()
    atexit.register(_end, server)
    return address


def _end(server: "subprocess.Popen[bytes]") -> None:
    assert server.stdin
    server.stdin.close()
    server.wait()


def _serve(listening: socket.socket) -> None:
    """Fork for each request that comes; the child runs it and answers with its exit code."""
    import reconciler.cli.app  # what is the same for all
    import reconciler.reconcile  # noqa: F401

    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for them: they answer themselves
    while listening in select.select([listening, sys.stdin], [], [])[0]:
        connection, _ = listening.accept()
        if os.fork() == 0:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            listening.close()
            code = 1
            try:
                code = _command(connection)
            except BaseException:  # noqa: BLE001  # as Python would, at the end of a program
                traceback.print_exc()
            with suppress(Exception):
                sys.stdout.flush()
            with suppress(Exception):
                sys.stderr.flush()
            connection.send(str(code).encode())
            os._exit(code)
        connection.close()


def _command(connection: socket.socket) -> int:
    """Become `envsync` with the request's arguments, environment, directory and streams; return its exit code."""
    text, descriptors, _, _ = socket.recv_fds(connection, _LENGTH, 3)
    request = json.loads(text)
    for number, descriptor in enumerate(descriptors):
        os.dup2(descriptor, number)
        os.close(descriptor)
    for number, name in ((1, "stdout"), (2, "stderr")):
        stream = open(number, "w", encoding="utf-8", errors=getattr(sys, name).errors, closefd=False)  # noqa: SIM115
        setattr(sys, name, stream)
        setattr(sys, f"__{name}__", stream)
    sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115
    os.environ.clear()
    os.environ.update(request["env"])
    os.umask(request["umask"])
    os.chdir(request["cwd"])
    sys.path[0] = request["cwd"]
    sys.argv = ["envsync", *request["arguments"]]
    from reconciler.cli import dispatch

    code = dispatch(request["arguments"])
    for thread in threading.enumerate():
        if thread is not threading.main_thread() and not thread.daemon:
            thread.join()
    atexit._run_exitfuncs()
    return code


if __name__ == "__main__":
    _serve(socket.socket(fileno=int(sys.argv[1])))
