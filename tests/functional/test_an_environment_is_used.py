"""Using an environment: activation, the pip stub, and the system's own packages."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.functional.host_state import planned, published
from tests.host import Host, base_environment
from tests.wheels import make_wheel

WEB = 'web:\n  python: "3.11"\n  packages: [alpha==1.0]\n'


def shell(host: Host, program: str, script: str) -> str:
    found = shutil.which(program)
    if found is None:
        pytest.skip(f"{program} is not on this machine")
    env = base_environment() | {"PYTHONPATH": ""}
    done = subprocess.run(
        [found, "-c", script], cwd=host.directory, env=env, capture_output=True, text=True, check=True
    )
    return done.stdout


def test_an_activated_shell_uses_the_newly_published_generation(host: Host) -> None:
    host.manifest(WEB)
    host.apply()
    host.manifest(WEB.replace("1.0", "1.1"))
    ask = "python -c 'import sys, alpha; print(sys.prefix, alpha.NAME)'"
    script = f"set -e; . .envs/web/bin/activate; {ask}; echo $VIRTUAL_ENV; read line < go; hash -r; {ask}; deactivate"
    os.mkfifo(host.directory / "go")
    with subprocess.Popen(
        ["bash", "-c", script],
        cwd=host.directory,
        env=base_environment() | {"PYTHONPATH": ""},
        stdout=subprocess.PIPE,
        text=True,
    ) as child:
        assert child.stdout is not None
        assert child.stdout.readline().split(maxsplit=1)[1] == "alpha 1.0\n"
        assert child.stdout.readline() == f"{host.venv('web')}\n"
        host.apply()
        (host.directory / "go").write_text("\n")
        prefix, name = child.communicate(timeout=30)[0].split(maxsplit=1)
        assert (name, child.returncode) == ("alpha 1.1\n", 0)
    assert Path(prefix).samefile(host.venv("web"))
    assert published(host, "web") == 2


def test_pip_is_a_stub_that_says_what_to_do_unless_the_manifest_declares_pip(host: Host) -> None:
    make_wheel(
        host.index.directory,
        "pip",
        "26.3",
        modules={"pip/__init__.py": "def main():\n    print('the real pip')\n"},
        scripts={"pip": "pip:main", "pip3": "pip:main"},
    )
    host.manifest(WEB)
    host.apply()
    for name in ("pip", "pip3"):
        stub = host.venv("web") / "bin" / name
        done = subprocess.run([stub, "install", "x"], capture_output=True, text=True, check=False, env={})
        assert (done.returncode, done.stdout) == (1, "")
        assert "environment `web`, and pip is not installed in it" in done.stderr
        assert "add the package to the packages of `web` in the manifest, then run `envsync apply web`" in done.stderr
    host.manifest(WEB.replace("[alpha==1.0]", "[alpha==1.0, pip]"))
    host.apply()
    assert host.envsync("run", "web", "--", "pip").out == "the real pip\n"
    assert (host.venv("web") / "bin/pip").read_text().startswith("#!")


def test_system_site_packages_replaces_the_environment_and_system_packages_are_not_drift(host: Host) -> None:
    host.manifest(WEB)
    host.apply()
    host.manifest(WEB + "  system_site_packages: true\n")
    found = planned(host)["web"]
    assert found["action"] == "replace"
    assert {each["code"] for each in found["reasons"]} == {"system-site-packages-changed"}
    host.apply()
    assert host.freeze("web") == ["alpha==1.0", "beta==2.0"]
    script = "import site, sys; print(any(p.startswith(sys.base_prefix) and 'site-packages' in p for p in sys.path))"
    run = ["run", "web", "--", "python", "-c", script]
    assert host.envsync(*run).out == "True\n"
    host.manifest(WEB)
    assert planned(host)["web"]["action"] == "replace"
    host.apply()
    assert host.envsync(*run).out == "False\n"
