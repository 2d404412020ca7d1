"""`bin/pip` where pip was not asked for: it refuses and says what to do.

Without it, a bare `pip` in an activated environment would run another interpreter's pip and change that one.
"""

from pathlib import Path

from reconciler.fs.atomic_write import naming

_STUB = """\
#!/bin/sh
echo "error: environment '{name}' is kept by envsync, and pip is not part of it" >&2
echo "hint: add what you need to environments.{name}.packages in envs.yaml, then run: envsync apply {name}" >&2
exit 1
"""
_NAMES = ("pip", "pip3")


def write_pip_stub(venv: Path, name: str) -> None:
    """Write the stubs unless the environment has a real pip; `name` is an environment name (no shell characters)."""
    if (venv / "bin" / "pip").exists():
        return
    for each in _NAMES:
        stub = venv / "bin" / each
        if not stub.exists():
            with naming(stub):
                stub.write_text(_STUB.format(name=name), encoding="ascii")
            stub.chmod(0o755)
