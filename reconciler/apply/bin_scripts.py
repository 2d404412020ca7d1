"""Write what envsync itself puts into an environment's `bin`: activate scripts and a stub for pip.

The activate scripts name the environment's path, not the generation, so an activated shell follows what is published.
The stub prevents that a bare `pip` in an activated environment runs another interpreter's pip and changes that one.
"""

import os
from pathlib import Path

from reconciler.fs.read import read_regular
from reconciler.fs.replace_file import replace_file
from reconciler.fs.sync import naming

_PIP_STUB = """\
#!/bin/sh
echo 'error: envsync manages environment `{name}`, and pip is not installed in it' >&2
echo 'hint: add the package to the packages of `{name}` in the manifest, then run `envsync apply {name}`' >&2
exit 1
"""
_PIP_NAMES = ("pip", "pip3")


def rewrite_activation(venv: Path, path: Path) -> None:
    """Replace the path `venv` by `path` in every `bin/activate*` script, keeping file modes. Raises OSError.

    Call it before packages are installed, because their files must stay as their RECORD says.
    """
    old, new = os.fsencode(venv), os.fsencode(path)
    for script in sorted((venv / "bin").glob("activate*")):
        if script.is_symlink() or not script.is_file():
            continue
        content = read_regular(script)
        if old in content:
            replace_file(script, content.replace(old, new))


def write_pip_stub(venv: Path, name: str) -> None:
    """Write `bin/pip` and `bin/pip3` unless pip is installed; they refuse and say what to do instead.

    `name` is the environment's name, which has no shell characters. Raises OSError.
    """
    if (venv / "bin" / "pip").exists():
        return
    for each in _PIP_NAMES:
        stub = venv / "bin" / each
        if not stub.exists():
            with naming(stub):
                stub.write_text(_PIP_STUB.format(name=name), encoding="ascii")
            stub.chmod(0o755)
