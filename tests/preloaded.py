"""Runs `envsync` in its own process, but without the time for imports: a server has imported it, and forks.

This saves a third of a second for each of some thousand commands. Variables that change how Python starts need a new
interpreter (`needs_new_interpreter`). The start itself is tested without this module (`tests/fastpath`, `tests/cli`).
"""

import atexit
import importlib
import json
import os
import pkgutil
import pty
import select
import socket
import subprocess
import sys
import tempfile
import threading
import traceback
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path

import reconciler

_MAX_SECONDS = 300
_MAX_BYTES = 1 << 20  # of one request or answer
_MAX_LENGTH = 50_000  # characters of a request, which must fit into the buffer of a socket


def needs_new_interpreter(arguments: Sequence[str], env: Mapping[str, str], usual: Mapping[str, str]) -> bool:
    """Return whether variables that Python reads when it starts differ from the usual ones, or a request is large."""
    if sum(map(len, [*arguments, *env.values()])) > _MAX_LENGTH:
        return True
    return any(
        name.startswith(("PYTHON", "LC_", "LANG", "TZ", "LD_")) and env.get(name) != usual.get(name)
        for name in {*env, *usual}
    )


def run_preloaded(arguments: tuple[str, ...], *, cwd: Path, env: Mapping[str, str], stdin: str) -> tuple[int, str, str]:
    """Run `envsync` with `arguments`; return its exit code and what it wrote to standard output and error."""
    with tempfile.TemporaryFile() as given, tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        given.write(stdin.encode())
        given.seek(0)
        answer = _ask(arguments, cwd, env, [given.fileno(), out.fileno(), err.fileno()])
        texts = []
        for file in (out, err):
            file.seek(0)
            texts.append(file.read().decode().replace("\r\n", "\n"))
    assert answer, f"envsync ended without an exit code: {texts}"
    return int(answer), texts[0], texts[1]


def run_on_a_terminal(arguments: tuple[str, ...], *, cwd: Path, env: Mapping[str, str]) -> tuple[int, bytes]:
    """Run `envsync` with a terminal as its streams; return its exit code and what it wrote, at most 4 KiB."""
    controller, terminal = pty.openpty()
    try:
        try:
            answer = _ask(arguments, cwd, env, [terminal] * 3)
        finally:
            os.close(terminal)
        written = os.read(controller, 4096)
    finally:
        os.close(controller)
    assert answer, f"envsync ended without an exit code: {written!r}"
    return int(answer), written


def _ask(arguments: tuple[str, ...], cwd: Path, env: Mapping[str, str], streams: list[int]) -> bytes:
    """Let the server run `envsync` with these streams; return its answer, the exit code."""
    umask = os.umask(0)
    os.umask(umask)
    request = {"arguments": arguments, "cwd": str(cwd), "env": dict(env), "umask": umask}
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as server:
        server.settimeout(_MAX_SECONDS)
        server.connect(_server(os.getpid()))
        socket.send_fds(server, [json.dumps(request).encode()], streams)
        return server.recv(_MAX_BYTES)


@cache
def _server(_pid: int) -> str:
    """Start the server of this process; return the address of its socket."""
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
        stdin=subprocess.PIPE,  # closed when this process ends, which ends the server
    )
    listening.close()
    atexit.register(_end, server)
    return address


def _end(server: "subprocess.Popen[bytes]") -> None:
    assert server.stdin
    server.stdin.close()
    server.wait()


def _serve(listening: socket.socket) -> None:
    """Fork for each request; the child runs the command, and when it has ended, its exit code is the answer.

    `run` replaces the child by a program, whose exit code it is then.
    """
    _prepare()
    running: dict[int, tuple[int, socket.socket]] = {}  # process and connection, by the descriptor of the process
    while True:
        ready = select.select([listening, sys.stdin, *running], [], [])[0]
        for descriptor in running.keys() & set(ready):
            process, connection = running.pop(descriptor)
            status = os.waitpid(process, 0)[1]
            os.close(descriptor)
            with connection, suppress(OSError):  # the test no longer waits
                connection.send(str(os.waitstatus_to_exitcode(status)).encode())
        if listening in ready:
            connection, _ = listening.accept()
            process = os.fork()
            if process == 0:
                listening.close()
                for descriptor, (_, other) in running.items():
                    os.close(descriptor)
                    other.close()
                os._exit(_exit_code(connection))
            running[os.pidfd_open(process)] = process, connection
        elif sys.stdin in ready:
            return


def _exit_code(connection: socket.socket) -> int:
    """Run the command of a request like Python runs a program; return its exit code."""
    code = 1
    try:
        code = _command(connection)
    except BaseException:  # noqa: BLE001  # like Python at the end of a program
        traceback.print_exc()
    with suppress(Exception):
        sys.stdout.flush()
    with suppress(Exception):
        sys.stderr.flush()
    return code


def _prepare() -> None:
    """Import the program, and build once what each command would build: its command line, and pydantic's validators.

    Every module is imported, also those that a command imports only when it needs them.
    """
    import typer

    for each in pkgutil.walk_packages(reconciler.__path__, "reconciler."):
        if each.name != "reconciler.__main__":
            importlib.import_module(each.name)
    from reconciler.cli.app import app
    from reconciler.manifest.models import Manifest
    from reconciler.plan.document import PlanDocument

    command = typer.main.get_command(app)
    typer.main.get_command = lambda typer_instance: command  # noqa: ARG005
    for name, each in {"envsync": command, **getattr(command, "commands", {})}.items():
        each.make_context(name, [], resilient_parsing=True)  # builds the parameters, and runs nothing
    for model in (Manifest, PlanDocument):
        model.model_rebuild()


def _command(connection: socket.socket) -> int:
    """Run `envsync` with the arguments, environment, directory and streams of a request; return its exit code."""
    with connection:
        text, descriptors, _, _ = socket.recv_fds(connection, _MAX_BYTES, 3)
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
