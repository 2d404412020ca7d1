"""Standard output is data, standard error is messages; JSON is valid; closed pipes and locales do no harm."""

import json
import os
import pty
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from reconciler.state.root_mutex import DEFAULT_TIMEOUT_SECONDS
from reconciler.state.store import State
from tests.functional.host_state import published
from tests.host import Host, Ran, base_environment

SCHEMAS = Path(__file__).parents[2] / "schemas"
WEB = 'web:\n  python: "3.11"\n  packages: [alpha==1.0]\nother:\n  python: "3.11"\n'
QUESTION = "to apply them: "
ENVSYNC = f"{sys.executable} -m reconciler"


def validator(name: str) -> Any:
    schema = json.loads((SCHEMAS / f"{name}.schema.json").read_text())
    return jsonschema.Draft202012Validator(schema)


def shell(host: Host, script: str, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", "-c", script],
        cwd=host.directory,
        env=base_environment() | {"ENVSYNC": ENVSYNC} | env,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@pytest.fixture
def web(host: Host) -> Host:
    host.manifest(WEB)
    return host


def test_json_is_valid_and_alone_on_standard_output(web: Host) -> None:
    plan, events = validator("plan"), validator("events")
    plan.validate(web.envsync("plan", "--output", "json").json())
    web.manifest(WEB + '  probes: [{import: nothing}]\nlast:\n  python: "3.11"\n  depends_on: [other]\n')
    ran = web.envsync("apply", "--yes", "--output", "json")
    assert ran.code == 4
    for event in ran.events():
        events.validate(event)
    assert ran.events()[-1]["exit_code"] == 4
    assert ran.err == ""

    (web.site_packages("web") / "beta.py").write_text("changed")
    (web.site_packages("web") / "caf\u00e9\udcff\x1b.pth").write_text("x")
    web.manifest(WEB.replace("1.0", "1.1") + '  env: {A: "b"}\n')
    for command in (["plan"], ["check", "--depth", "hashes"]):
        ran = web.envsync(*command, "--output", "json")
        assert ran.err == "", command
        plan.validate(ran.json())
    rows = json.loads(web.envsync("status", "--output", "json").out)
    counts = {each["name"]: each["packages"] for each in rows}
    assert counts["web"] == len(web.envsync("freeze", "web", "--all").out.splitlines()), "the lock is out of date"
    for word in ("plan", "check", "status"):
        ran = web.envsync(word)
        assert "\x1b" not in ran.out
        assert ran.err == ""
    ran = web.envsync("apply", "--yes", "-q")
    assert (ran.code, ran.err) == (0, "")


READING = ("plan", "check", "status", "verify", "history", "gc")
CHANGING = ("apply --yes", "destroy web --yes")


def refusal(ran: Ran) -> dict[str, Any]:
    """Return the error on standard output; assert that it is valid, and agrees with exit code and messages."""
    found = ran.json()
    validator("error").validate(found)
    validator("events").validate(found)
    assert found["exit_code"] == ran.code
    assert ran.err.startswith("error: "), "standard error has the text for people as well"
    assert found["error"]["message"].splitlines()[0] in ran.err
    return dict(found["error"])


@pytest.mark.parametrize("command", [*READING, *CHANGING])
def test_an_error_before_the_result_is_also_json(host: Host, command: str) -> None:
    host.manifest('web:\n  python: "3.11"\n  pakages: [https://me:hunter2@host/a]\n  matrx: {}\n')
    ran = host.envsync(*command.split(), "--output", "json")
    assert ran.code == 3
    error = refusal(ran)
    assert error["code"] == "manifest"
    assert [each["path"] for each in error["problems"]] == ["environments.web.pakages", "environments.web.matrx"]
    assert error["problems"][0]["place"] == {"file": "envs.yaml", "line": 9, "column": 5}
    assert error["problems"][0]["hint"] == "did you mean `packages`?"
    assert "hunter2" not in ran.out + ran.err
    if command in CHANGING:
        assert ran.out.count("\n") == 1, "a stream has one object a line"

    ran = host.envsync(*command.split(), "--output", "json", "--nonsense")
    assert (ran.code, refusal(ran)["code"]) == (3, "usage")


def test_the_errors_of_each_stage_have_their_codes(web: Host) -> None:
    def code(*arguments: str) -> tuple[int, str]:
        ran = web.envsync(*arguments, "--output", "json")
        return ran.code, refusal(ran)["code"]

    assert code("apply", "--yes", "--locked") == (3, "lock")
    assert code("apply", "-q") == (3, "usage")
    assert code("plan", "unknown") == (3, "usage")
    assert code("check", "-f", "nowhere.yaml") == (3, "manifest")
    with State.at(web.root).acquire_mutex(timeout=DEFAULT_TIMEOUT_SECONDS):
        assert code("apply", "--yes", "--lock-timeout", "0") == (1, "lock-timeout")


def test_a_closed_pipe_changes_no_exit_code_and_no_result(web: Host) -> None:
    done = shell(web, "$ENVSYNC plan | head -1; echo ${PIPESTATUS[0]}")
    assert (done.stdout.splitlines()[1:], done.stderr) == (["0"], "")
    done = shell(web, "$ENVSYNC check | true; echo ${PIPESTATUS[0]}")
    assert (done.stdout, done.stderr) == ("2\n", "")
    done = shell(web, "$ENVSYNC plan --help | true; $ENVSYNC schema | true; echo on")
    assert (done.stdout, done.stderr) == ("on\n", "")
    done = shell(web, "$ENVSYNC apply --yes --output json | true; echo ${PIPESTATUS[0]}")
    assert (done.stdout, done.stderr) == ("0\n", "")
    assert published(web, "web") == 1
    assert web.envsync("check").code == 0
    web.manifest(WEB.replace("1.0", "1.1") + "  probes: [{import: nothing}]\n")
    done = shell(web, "$ENVSYNC apply --yes 2>&1 | true; echo ${PIPESTATUS[0]}")
    assert (done.stdout, done.stderr) == ("4\n", "")
    assert published(web, "web") == 2


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_output_that_cannot_be_written_is_an_error_without_traceback(web: Host) -> None:
    for command in ("plan", "--version"):
        done = shell(web, f"$ENVSYNC {command} > /dev/full")
        assert done.returncode == 1, command
        assert done.stderr.startswith("error: ")
        assert "No space left on device" in done.stderr
    for script in (
        "$ENVSYNC check <&- >&- 2>&-",
        "$ENVSYNC apply -y <&- >&-",
    ):
        done = shell(web, script)
        assert "Traceback" not in done.stderr, script
        assert done.returncode in {0, 2}, (script, done.stderr)


def test_color_is_used_on_terminals_and_on_request(web: Host) -> None:
    cases: list[tuple[dict[str, str], list[str], bool]] = [
        ({}, [], False),
        ({"FORCE_COLOR": "1"}, [], True),
        ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, [], False),
        ({"GITHUB_ACTIONS": "true"}, [], False),
        ({"NO_COLOR": "1"}, ["--color", "always"], True),
        ({"FORCE_COLOR": "1"}, ["--color", "never"], False),
    ]
    for variables, arguments, expected in cases:
        assert ("\x1b[" in web.envsync("check", *arguments, env=variables).out) == expected, (variables, arguments)
    for arguments in (["--help"], ["plan", "--help"]):
        assert "\x1b[" not in web.envsync(*arguments, env={"CI": "true", "GITHUB_ACTIONS": "true"}).out
    assert "\x1b[" not in web.envsync("plan", "--nonsense", env={"GITHUB_ACTIONS": "true"}).err


def test_every_command_works_in_a_locale_without_unicode(host: Host) -> None:
    host.manifest('web:\n  python: "3.11"\n  description: "caf\u00e9 \u65e5\u672c"\n  env: {WORD: "\u00fc"}\n')
    for command in (["plan"], ["apply", "--yes"], ["status"]):
        ran = host.envsync(*command, env={"LC_ALL": "POSIX", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"})
        assert ran.code == 0, (command, ran.err)
    script = "import os; print(ascii(os.environ['WORD']))"
    ran = host.envsync("run", "web", "--", "python", "-c", script, env={"LC_ALL": "C.UTF-8"})
    assert ran.out == "'\\xfc'\n"


def on_a_terminal(host: Host, answer: str, *arguments: str) -> tuple[int, str]:
    """Run envsync on a new terminal and type `answer` when it asks; return its exit code and everything it printed."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(host.directory)
        env = {**base_environment(), "TERM": "xterm", "COLUMNS": "100"}
        os.execve(sys.executable, [sys.executable, "-m", "reconciler", *arguments], env)  # noqa: S606  # on its own terminal
    shown = b""
    asked = False
    while True:
        try:
            chunk = os.read(terminal, 65536)
        except OSError:  # Linux: the other end is closed
            break
        if not chunk:
            break
        shown += chunk
        if not asked and QUESTION.encode() in shown:
            asked = True
            os.write(terminal, answer.encode() + b"\n")
    os.close(terminal)
    _, status = os.waitpid(pid, 0)
    return os.waitstatus_to_exitcode(status), shown.decode("utf-8", "replace")


def test_on_a_terminal_apply_asks_and_the_answer_no_changes_nothing(web: Host) -> None:
    for answer in ("no", "yess"):
        code, shown = on_a_terminal(web, answer, "apply")
        assert code == 130, shown
        assert "nothing was changed" in shown
        assert "Traceback" not in shown
        assert published(web, "web") == 0
        assert not (web.directory / "locks").exists()
    code, shown = on_a_terminal(web, "yes", "apply")
    assert code == 0, shown
    assert QUESTION in shown
    assert published(web, "web") == 1
    code, shown = on_a_terminal(web, "unasked", "apply")
    assert code == 0
    assert QUESTION not in shown, "nothing to do, so nothing to ask"
    code, shown = on_a_terminal(web, "\x03", "destroy", "web")
    assert (code, published(web, "web")) == (130, 1), shown
