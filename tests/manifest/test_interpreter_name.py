"""Which file names an interpreter has."""

import pytest

from reconciler.manifest.interpreter_name import is_interpreter_name


@pytest.mark.parametrize(
    "name",
    [
        "python", "python3", "python3.12", "python3.9", "python3.13t", "python3.13d", "python3.14td", "python3.6m",
        "python3.7dm", "python3-dbg", "python3.11-dbg", "python3.12-intel64", "python2.7", "python3.12.1",
        "platform-python3.6", "platform-python", "pypy", "pypy3", "pypy3.10", "pypy3-c", "pypy3.10-c", "graalpy",
        "graalpy3.11",
    ],
)  # fmt: skip
def test_interpreters_have_such_a_name(name: str) -> None:
    assert is_interpreter_name(name)


@pytest.mark.parametrize(
    "name",
    [
        "", " ", "sh", "bash", "env", "perl", "exe", "mise", "rye", "uv", "python3-config", "python3.12-config",
        "python3.sh", "python3.12.py", "python.exe", "pythonw", "ipython3", "bpython", "python3 ", " python3",
        "python3\n", "python-argcomplete-tcsh", "xpython3", "python3x", "PYTHON3", "python\u0663", "python3.1234",
        "python3.12tt", "pythont", "python3..12", "python3.", "pip3.12", "python3.12-gdb.py",
    ],
)  # fmt: skip
def test_other_programs_do_not(name: str) -> None:
    assert not is_interpreter_name(name)
