"""Compiles modules to bytecode with a base interpreter: the modules are read and never run."""

from collections.abc import Sequence
from pathlib import Path

from reconciler.errors import EngineError
from reconciler.processes.child import run_child
from reconciler.processes.scratch import scratch_directory

_ALONE = 200  # modules; with more, parallel processes save more time than they take to start


def compile_modules(interpreter: str, modules: Sequence[Path], *, timeout: float, inherit: tuple[int, ...]) -> None:
    """Write the bytecode of `modules` beside them, as compileall(1) does; modules that do not parse are skipped.

    Raises EngineError if it takes longer than `timeout` seconds.
    """
    with scratch_directory() as scratch:
        names = scratch / "modules"
        names.write_text("".join(f"{each}\n" for each in modules), encoding="utf-8", errors="surrogateescape")
        jobs = "0" if len(modules) > _ALONE else "1"
        done = run_child(
            [interpreter, "-I", "-S", "-m", "compileall", "-q", "-j", jobs, "-i", str(names)],
            env={"PATH": "/usr/bin:/bin", "PYTHONIOENCODING": "utf-8", "LC_ALL": "C.UTF-8"},
            cwd=scratch,
            timeout=timeout,
            inherit=inherit,
        )
    if done.timed_out:
        raise EngineError(
            f"compiling bytecode did not finish within {timeout:g} seconds", hint=None, details=done.last_lines()
        )
