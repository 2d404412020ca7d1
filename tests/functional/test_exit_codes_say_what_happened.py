"""Every exit code of the table in docs/design.md, "Exit codes", and the message that comes with it."""

import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler

import pytest

from tests.host import Host, base_environment
from tests.index import serving
from tests.wheels import make_wheel

WEB = 'web:\n  python: "3.11"\n  packages: [alpha==1.0]\n'


def good(host: Host) -> None:
    host.manifest(WEB)


def bad(host: Host) -> None:
    host.manifest("web:\n  pyhton: '3.11'\n")


def system_root(host: Host) -> None:
    host.manifest(WEB, head="root: /usr\n")


def missing(host: Host) -> None:
    """Write no manifest."""


def no_interpreter(host: Host) -> None:
    host.manifest('web:\n  python: "3.99"\n')


def unsatisfiable(host: Host) -> None:
    host.manifest('web:\n  python: "3.11"\n  packages: [alpha==7.0]\n')


CASES: list[tuple[Callable[[Host], None], str, int, str]] = [
    (good, "plan --detailed-exitcode", 2, ""),
    (good, "lock --check", 2, ""),
    (good, "plan --nonsense", 3, "error: unknown option `--nonsense` of `envsync plan`"),
    (good, "plan --depth shallow", 3, "error: `--depth shallow`: must be `metadata`, `files` or `hashes`"),
    (good, "nonsense", 3, "error: unknown command `nonsense`"),
    (good, "plan unknown", 3, "no environment named `unknown`"),
    (good, "apply", 3, "add `--yes`"),
    (good, "apply --yes --parallelism 0", 3, "error: `--parallelism 0`: must be at least 1"),
    (good, "apply --yes --locked", 3, "envsync lock web"),
    (good, "destroy", 3, "error: `envsync destroy` requires NAME"),
    (good, "destroy web --yes", 3, "never applied"),
    (good, "freeze", 3, "error: `envsync freeze` requires NAME or `--path DIR`"),
    (good, "freeze web", 3, "is not a virtual environment"),
    (bad, "apply --yes", 3, "envs.yaml:8:5: environments.web.pyhton"),
    (bad, "validate", 3, "unknown key"),
    (missing, "plan", 3, "envs.yaml"),
    (missing, "check -f other.yaml", 3, "other.yaml"),
    (no_interpreter, "apply --yes", 4, "found 3."),
    (no_interpreter, "check", 2, "no python 3.99 (envs.yaml:"),
    (no_interpreter, "plan", 0, "no python 3.99 (envs.yaml:"),
    (no_interpreter, "plan --detailed-exitcode", 2, "no python 3.99 (envs.yaml:"),
    (no_interpreter, "status", 0, "blocked"),
    (no_interpreter, "lock", 1, "python3.11"),
    (unsatisfiable, "apply --yes", 1, "alpha==7.0"),
    (unsatisfiable, "lock", 1, "alpha==7.0"),
    (system_root, "plan", 3, "envs.yaml:6:7: root: must not be a system directory"),
    (good, "--version", 0, ""),
    (good, "-q --version", 0, ""),
    (good, "--color never -V", 0, ""),
    (good, "validate", 0, "1 environment, no errors"),
]


@pytest.mark.parametrize(
    ("prepare", "command", "code", "said"), CASES, ids=lambda each: getattr(each, "__name__", None)
)
def test_each_case_has_its_exit_code_and_its_message(
    host: Host, prepare: Callable[[Host], None], command: str, code: int, said: str
) -> None:
    prepare(host)
    ran = host.envsync(*command.split())
    assert ran.code == code, ran.out + ran.err
    assert said in (ran.out if prepare is no_interpreter and code != 1 else ran.err)
    if code in {1, 3}:
        assert ran.out == "" or "blocked: could not be locked" in ran.out
        assert ran.err.startswith("error: ")


def test_garbage_collection_that_fails_after_an_apply_is_4_and_the_result_is_kept(host: Host) -> None:
    host.manifest(WEB + "  keep_generations: 1\n")
    host.apply()
    stuck = host.root / ".envsync/generations/web/1/venv/pyvenv.cfg"
    if shutil.which("chattr") is None or subprocess.run(["chattr", "+i", stuck], check=False).returncode:
        pytest.skip("needs chattr, the permission to use it, and a file system that supports it")
    try:
        host.manifest(WEB.replace("1.0", "1.1") + "  keep_generations: 1\n")
        ran = host.envsync("apply", "--yes", "--output", "json")
        assert ran.code == 4
        last = ran.events()[-1]
        assert (last["type"], last["exit_code"], last["failure"]["code"]) == ("run-finished", 4, "gc-failed")
        assert [each["status"] for each in last["environments"]] == ["applied"]
        assert ran.err.startswith("error: garbage collection: ")
        assert "then run `envsync gc`" in ran.err
        assert host.freeze("web") == ["alpha==1.1", "beta==2.0"]
        assert host.envsync("gc").code == 1, "`gc` on its own fails with 1"
    finally:
        subprocess.run(["chattr", "-i", stuck], check=True)
    assert host.envsync("gc").code == 0


def test_a_wheel_with_a_script_named_python_is_reported_as_such(host: Host) -> None:
    make_wheel(host.index.directory, "evil", "1.0", scripts={"python": "evil:main"})
    host.manifest(WEB.replace("alpha==1.0", "evil"))
    ran = host.envsync("apply", "--yes", "--output", "json")
    assert ran.code == 1
    failure = ran.events()[-1]["environments"][0]["failure"]
    assert (failure["code"], bool(failure["hint"])) == ("reserved-name", True)
    assert failure["message"].startswith("a script of `evil` would replace")


class _Silent(BaseHTTPRequestHandler):
    """An index that accepts a request and does not answer it."""

    requested = threading.Event()
    done = threading.Event()

    def do_GET(self) -> None:
        self.requested.set()
        self.done.wait(30)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class calls it so
        """Print nothing."""


@pytest.mark.parametrize(
    ("command", "number"), [(["plan"], signal.SIGINT), (["lock"], signal.SIGTERM), (["apply", "--yes"], signal.SIGINT)]
)
def test_a_signal_while_an_index_hangs_ends_the_command_at_once(
    host: Host, command: list[str], number: signal.Signals
) -> None:
    _Silent.requested.clear()
    _Silent.done.clear()
    with serving(_Silent) as host.index.base:
        host.manifest(WEB)
        try:
            with subprocess.Popen(
                [sys.executable, "-m", "reconciler", *command],
                cwd=host.directory,
                env=base_environment(),
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            ) as child:
                assert _Silent.requested.wait(20)
                child.send_signal(number)
                try:
                    _, err = child.communicate(timeout=8)
                except subprocess.TimeoutExpired:
                    child.kill()
                    raise
        finally:
            _Silent.done.set()
    assert child.returncode == 130
    assert "Traceback" not in err
    assert not (host.directory / "locks").exists()
