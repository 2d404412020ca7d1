"""`envsync run` becomes the command: exit code, signals, environment, and the generation at its start."""

import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from tests.functional.host_state import generations
from tests.host import Host, base_environment, new_host, put_back

WEB = """
web:
  python: "3.11"
  packages: [alpha==1.0]
  env: {COLOR: blue, PYTHONPATH: ""}
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    """A host with `web` applied."""
    with new_host(tmp_path_factory.mktemp("host")) as host:
        host.manifest(WEB)
        host.apply()
        yield host


@pytest.fixture
def web(made: Host) -> Iterator[Host]:
    """Yield that host, and put everything back after the test."""
    with put_back(made) as host:
        yield host


def test_run_passes_on_the_exit_code_and_the_arguments(web: Host) -> None:
    ran = web.envsync("run", "web", "--", "python", "-c", "import sys; print(sys.argv[1:]); sys.exit(7)", "a b", "--x")
    assert (ran.code, ran.out) == (7, "['a b', '--x']\n")


def test_common_options_are_accepted_before_and_after_run(web: Host) -> None:
    for arguments in (["-q", "run", "web"], ["--color", "never", "-v", "run", "web"], ["run", "-q", "web"]):
        assert web.envsync(*arguments, "--", "python", "-c", "print('up')").out == "up\n"
    assert web.envsync("-q", "run", "unknown", "--", "true").code == 125


def test_run_uses_the_published_generation_and_the_env_of_the_last_apply(web: Host) -> None:
    script = "import alpha, os, sys; print(alpha.NAME, os.environ['COLOR'], sys.prefix == os.environ['VIRTUAL_ENV'])"
    assert web.envsync("run", "web", "--", "python", "-c", script).out == "alpha 1.0 blue True\n"


def test_run_works_with_a_broken_manifest(web: Host) -> None:
    (web.directory / "envs.yaml").write_text("version: 1\nenvironments: [oh no\nroot: .envs\n")
    assert web.envsync("run", "web", "--", "python", "-c", "print('up')").out == "up\n"


def test_run_passes_on_signals(web: Host) -> None:
    command = [sys.executable, "-m", "reconciler", "run", "web", "--", "python", "-c"]
    script = (
        "import signal, sys, time; signal.signal(15, lambda *_: sys.exit(42)); print('on', flush=True); time.sleep(60)"
    )
    with subprocess.Popen(
        [*command, script], cwd=web.directory, env=base_environment(), stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "on\n"
        child.send_signal(signal.SIGTERM)
        assert child.wait(timeout=30) == 42


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["unknown", "--", "true"], 125, "not published"),
        (["web", "--", "no-such-command"], 127, "not found"),
        (["web", "--", "./plain.txt"], 126, "Permission denied"),
        (["web"], 125, "`envsync run` requires COMMAND"),
        (["--nonsense", "web", "--", "true"], 125, "unknown option `--nonsense` of `envsync run`"),
        (["--file"], 125, "`--file` requires a value"),
        (["--nonsense", "--help"], 125, "unknown option `--nonsense` of `envsync run`"),
        (["../web", "--", "true"], 125, "is not a valid environment name"),
    ],
)
def test_the_errors_of_run_have_their_own_exit_codes(web: Host, arguments: list[str], code: int, message: str) -> None:
    (web.directory / "plain.txt").write_text("not a program")
    ran = web.envsync("run", *arguments)
    assert ran.code == code
    assert message in ran.err


def test_an_error_of_another_stage_has_the_exit_code_of_run(web: Host) -> None:
    """1 would be the exit code of the command."""
    shutil.rmtree(web.root / ".envsync/cache")
    (web.root / ".envsync/environments/web.json").write_text("", encoding="utf-8")
    ran = web.envsync("run", "web", "--", "true")
    assert ran.code == 125
    assert "web.json` is damaged" in ran.err


def test_a_running_command_keeps_its_generation_from_being_collected(web: Host) -> None:
    command = [sys.executable, "-m", "reconciler", "run", "web", "--", "python", "-c"]
    script = "import sys; print('on', flush=True); sys.stdin.readline(); import alpha; print(alpha.NAME)"
    with subprocess.Popen(
        [*command, script],
        cwd=web.directory,
        env=base_environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "on\n"
        web.manifest(WEB.replace("alpha==1.0", "alpha==1.1") + "  keep_generations: 1\n")
        web.apply()
        time.sleep(0.1)
        out, _ = child.communicate("go\n", timeout=30)
    assert out == "alpha 1.0\n", "it keeps running in the generation in which it was started"
    web.manifest(WEB + "  keep_generations: 1\n")
    web.apply()
    assert len(generations(web, "web")) == 1, "no command is running, so keep_generations decides"
