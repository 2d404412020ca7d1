"""Start commands and time them, in a small process: until exec, the peak memory of a child counts that of its parent.

Reads marshalled batches from standard input and answers each on standard output. It imports only built-in modules, so
that it adds less to the figure of a child than bare Python takes.
"""

import marshal
import os
import sys
import time

_UNIT = 1024 if sys.platform == "darwin" else 1  # ru_maxrss is in bytes there, in KiB elsewhere


def _start(argv: list[str], output: str) -> int:
    actions = [
        (os.POSIX_SPAWN_OPEN, 0, "/dev/null", os.O_RDONLY, 0),
        (os.POSIX_SPAWN_OPEN, 1, f"{output}.out", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644),
        (os.POSIX_SPAWN_OPEN, 2, f"{output}.err", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644),
    ]
    return os.posix_spawn(argv[0], argv, os.environ, file_actions=actions)


def run(commands: list[list[str]], at_once: int, outputs: str) -> tuple[int, list[int], int]:
    """Run commands, `at_once` at a time; return wall nanoseconds, exit codes, and the largest peak in KiB."""
    codes = [0] * len(commands)
    running: dict[int, int] = {}
    peak = 0
    began = time.perf_counter_ns()
    for number, argv in enumerate(commands):
        if len(running) == at_once:
            peak = max(peak, _wait(running, codes))
        running[_start(argv, f"{outputs}/{number}")] = number
    while running:
        peak = max(peak, _wait(running, codes))
    return time.perf_counter_ns() - began, codes, peak


def _wait(running: dict[int, int], codes: list[int]) -> int:
    pid, status, usage = os.wait4(-1, 0)
    codes[running.pop(pid)] = os.waitstatus_to_exitcode(status)
    return usage.ru_maxrss // _UNIT


def main() -> None:
    """Answer batches until the end of standard input."""
    while True:
        try:
            commands, at_once, outputs = marshal.load(sys.stdin.buffer)  # noqa: S302  # from the process that started us
        except EOFError:
            return
        marshal.dump(run(commands, at_once, outputs), sys.stdout.buffer)
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
