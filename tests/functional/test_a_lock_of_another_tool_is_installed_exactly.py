"""`lock: {from: ...}` installs what the tool that made the lock installs: the same names, versions and files."""

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from uv import find_uv_bin

from tests.functional.installed import site_packages
from tests.functional.projects import write_project
from tests.host import Host, base_environment
from tests.wheels import make_wheel

# Files in which installers write about themselves.
OWN_FILES = {"RECORD", "INSTALLER", "REQUESTED", "direct_url.json", "uv_cache.json", "uv_build.json"}
OPTIONAL = '[project.optional-dependencies]\nweb = ["gamma"]\n[dependency-groups]\ndev = ["delta"]\n'


def run(*command: str, cwd: Path, env: Mapping[str, str]) -> None:
    variables = {**base_environment(), **env}
    done = subprocess.run(command, cwd=cwd, env=variables, capture_output=True, text=True, check=False, timeout=240)
    assert done.returncode == 0, done.stdout + done.stderr


def installed(venv: Path) -> dict[str, str]:
    """Return the SHA-256 of every installed file below site-packages, and the names of the scripts."""
    site = site_packages(venv)
    found = {}
    for path in site.rglob("*"):
        if path.is_file() and path.name not in OWN_FILES and path.suffix != ".pyc" and "virtualenv" not in path.name:
            found[path.relative_to(site).as_posix()] = hashlib.sha256(path.read_bytes()).hexdigest()
    scripts = {path.name for path in (venv / "bin").iterdir()}
    return found | {
        f"bin/{each}": ""
        for each in scripts
        if not each.startswith(("activate", "python", "pip", "deactivate", "pydoc"))
    }


def poetry() -> str:
    """Return Poetry's program next to this interpreter or on PATH; skip the test if there is none."""
    found = shutil.which("poetry", path=os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]))
    if found is None:
        pytest.skip("needs Poetry: pip install -e '.[compat]'")
    return found


def test_a_uv_lock_gives_what_uv_sync_gives(host: Host, pythons: Mapping[str, Path]) -> None:
    app, core = host.directory, host.directory / "libs" / "core"
    make_wheel(host.index.directory, "delta", "1.0")
    sources = '[tool.uv.workspace]\nmembers = ["libs/*"]\n[tool.uv.sources]\ncore = { workspace = true }\n'
    sources += f'[[tool.uv.index]]\nname = "local"\nurl = "{host.index.url}"\ndefault = true\n'
    write_project(app, "app", dependencies='["core", "alpha<1.1"]', more=OPTIONAL + sources)
    write_project(core, "core", dependencies='["beta"]')
    uv = {
        "UV_CACHE_DIR": str(host.directory.parent / "cache"),
        "UV_PROJECT_ENVIRONMENT": str(host.directory.parent / "by-uv"),
    }
    python = str(pythons["3.11"])
    run(find_uv_bin(), "lock", "-p", python, cwd=app, env=uv)
    make_wheel(host.index.directory, "alpha", "1.0.1", requires=["beta"])  # newer, and not in the lock
    make_wheel(host.index.directory, "beta", "3.0")
    entry = 'web:\n  python: "3.11"\n  lock: {from: uv.lock}\n  project: {editable: %s, extras: [web], groups: [dev]}\n'
    host.manifest(entry % "true")
    host.apply()
    options = ["--frozen", "-p", python, "--extra", "web", "--no-default-groups", "--group", "dev"]
    run(find_uv_bin(), "sync", *options, cwd=app, env=uv)
    assert installed(host.venv("web")) == installed(host.directory.parent / "by-uv")
    assert "alpha-1.0.dist-info/METADATA" in installed(host.venv("web"))

    assert host.envsync("lock", "--check").code == 0
    with (app / "uv.lock").open("a", encoding="utf-8") as file:
        file.write("\n")
    behind = host.envsync("lock", "--check")
    assert (behind.code, "pylock.web.toml is out of date" in behind.out + behind.err) == (2, True)
    assert host.envsync("plan", "--locked").code == 3
    assert host.envsync("check").code == 2, "the fast path notices it too"

    host.manifest(entry % "false")
    host.apply()
    run(find_uv_bin(), "sync", "--no-editable", *options, cwd=app, env=uv)
    assert installed(host.venv("web")) == installed(host.directory.parent / "by-uv")


def test_a_poetry_lock_gives_what_poetry_sync_gives(host: Host, pythons: Mapping[str, Path]) -> None:
    program = poetry()
    make_wheel(host.index.directory, "delta", "1.0")
    make_wheel(host.index.directory, "epsilon", "1.0")
    source = f'[[tool.poetry.source]]\nname = "local"\nurl = "{host.index.url}"\npriority = "primary"\n'
    more = OPTIONAL + '[tool.poetry.group.docs.dependencies]\nepsilon = "*"\n' + source
    write_project(host.directory, "app", dependencies='["alpha<1.1"]', more='requires-python = ">=3.11"\n' + more)
    venv = host.directory.parent / "by-poetry"
    home = {
        "POETRY_CACHE_DIR": str(host.directory.parent / "cache"),
        "POETRY_CONFIG_DIR": str(host.directory.parent / "config"),
        "PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring",
        "VIRTUAL_ENV": str(venv),
        "PATH": f"{venv / 'bin'}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": "",
    }
    run(find_uv_bin(), "venv", "-q", "-p", str(pythons["3.11"]), str(venv), cwd=host.directory, env={})
    run(program, "lock", "-n", cwd=host.directory, env=home)
    make_wheel(host.index.directory, "beta", "3.0")
    run(program, "sync", "-n", "--no-root", "--extras", "web", "--without", "docs", cwd=host.directory, env=home)
    host.manifest('web:\n  python: "3.11"\n  lock: {from: poetry.lock, extras: [web], groups: [dev]}\n')
    host.apply()
    assert installed(host.venv("web")) == installed(venv)
    assert "delta-1.0.dist-info/METADATA" in installed(venv)
    assert "epsilon-1.0.dist-info/METADATA" not in installed(venv)
