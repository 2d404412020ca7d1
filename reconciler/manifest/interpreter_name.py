"""What the file of a Python interpreter is called: `python`, `python3`, `python3.12`, `python3.13t`, `pypy3.10` ..."""

import re

# After the version: the flags of the ABI (PEP 3149; `t` is free-threaded, `d` a debug build), then what Debian and
# macOS append. `platform-python3.6` is the one of RHEL.
_NAME = re.compile(
    r"(?:(?:platform-)?python|pypy|graalpy)(?:\d(?:\.\d{1,3}){0,2}(?:t|d|td|m|dm)?)?(?:-dbg|-c|-intel64)?",
    re.ASCII,
)


def is_interpreter_name(name: str) -> bool:
    """Return whether interpreters have this file name; programs that come with them (`python3-config`) do not."""
    return _NAME.fullmatch(name) is not None
