"""`docs/troubleshooting.md` has every code, with the exit code and the messages that envsync really prints.

`python -m tests.docs.test_troubleshooting` writes the messages and the tables of codes from the code.
"""

import errno
import os
import pkgutil
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from importlib import import_module
from pathlib import Path

import pytest
from typer import Context
from typer.core import TyperGroup
from typer.main import get_command

import reconciler
from reconciler.cli.app import app
from reconciler.diff.model import ReasonCode
from reconciler.errors import EnvsyncError, PlatformError
from reconciler.observe.actual import FindingCode
from reconciler.render.rules import RULES
from reconciler.state.layout import Layout
from reconciler.state.root_mutex import acquire_root_mutex
from tests.docs.pages import DOCS, read_page, section
from tests.docs.test_command_pages import invocations
from tests.host import Host, Ran, base_environment, new_host
from tests.index_faults import Fault
from tests.installed_pythons import interpreters
from tests.limited.commands import run_without
from tests.limited.missing import Missing
from tests.repository import git
from tests.wheels import make_sdist, make_wheel

PAGE = DOCS / "troubleshooting.md"
TEXT = re.compile(r"```text\n.*?```\n", re.DOTALL)
TABLES = {"reasons": ReasonCode, "findings": FindingCode}
# The lines of a message that the page has: those of the package tool depend on its version.
SHOWN = re.compile(r"error: |hint: |  hint: | +\d* \| |\w+: (failed|updated) in ")
BACKEND = """\
import sys


def build_wheel(*_arguments, **_options):
    sys.exit("no compiler")
"""
STATIC = """\
[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]

[project]
name = "acme"
version = "1.0"
"""


def error_classes() -> dict[str, type[EnvsyncError]]:
    """Return every class of the error tree but its root, which is never raised itself, by code."""
    for module in pkgutil.walk_packages(reconciler.__path__, "reconciler."):
        if not module.name.endswith("__main__"):
            import_module(module.name)
    return {each.code: each for each in _below(EnvsyncError)}


def _below(parent: type[EnvsyncError]) -> Iterator[type[EnvsyncError]]:
    for each in parent.__subclasses__():
        yield each
        yield from _below(each)


ERRORS = error_classes()
Scenario = Callable[[Host, ExitStack], list[str]]
SCENARIOS: dict[str, Scenario] = {}


def error_case(code: str) -> Callable[[Scenario], Scenario]:
    """Register a function that prepares a host and returns the arguments of a command that ends with the error."""

    def register(scenario: Scenario) -> Scenario:
        assert code not in SCENARIOS
        SCENARIOS[code] = scenario
        return scenario

    return register


def web(host: Host, *packages: str, more: str = "", python: str = "3.11") -> None:
    listed = ", ".join(f'"{each}"' for each in packages)
    host.manifest(f'web:\n  python: "{python}"\n  packages: [{listed}]\n{more}')


def wheels(host: Host) -> Path:
    return host.index.directory


def locked(host: Host) -> list[str]:
    """Lock the environments, and return the arguments of an apply."""
    assert host.envsync("lock").code == 0
    return ["apply", "--yes", "--timeout", "20"]


def rewrite(wheel: Path, *, drop: str = "", edit: str = "") -> None:
    """Write a wheel again without one file, or with a line added to one; its RECORD stays as it is."""
    with zipfile.ZipFile(wheel) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(wheel, "w") as archive:
        for name, content in files.items():
            if not drop or not name.endswith(drop):
                archive.writestr(name, content + b"# edited\n" if edit and name.endswith(edit) else content)


@error_case("usage")
def _(host: Host, _stack: ExitStack) -> list[str]:
    web(host, "alpha")
    return ["plan", "webb"]


@error_case("manifest")
def _(host: Host, _stack: ExitStack) -> list[str]:
    host.manifest('web:\n  python: "3.11"\n  pakages: [flask]\n', local_index=False)
    return ["plan"]


@error_case("lock")
def _(host: Host, _stack: ExitStack) -> list[str]:
    web(host, "alpha==1.0")
    locked(host)
    web(host, "alpha==1.1")
    return ["plan", "--locked"]


@error_case("plan-file")
def _(host: Host, _stack: ExitStack) -> list[str]:
    web(host, "alpha==1.0")
    host.apply()
    web(host, "alpha==1.1")
    locked(host)
    assert host.envsync("plan", "--out", "plan.json").code == 0
    (host.site_packages("web") / "beta.py").write_text("EDITED = True\n", encoding="utf-8")
    return ["apply", "--plan", "plan.json"]


@error_case("snapshot")
def _(host: Host, _stack: ExitStack) -> list[str]:
    host.manifest('web:\n  python: "3.11"\njobs:\n  python: "3.11"\n')
    assert host.envsync("observe", "web", "--out", "host1.json").code == 0
    return ["check", "--actual", "host1.json"]


@error_case("revision")
def _(host: Host, _stack: ExitStack) -> list[str]:
    web(host, "alpha")
    subprocess.run(["git", "init", "--quiet"], cwd=host.directory, check=True)
    return ["plan", "--against", "origin/main"]


@error_case("interpreter")
def _(host: Host, _stack: ExitStack) -> list[str]:
    web(host, "alpha", python="2.7")
    return ["lock"]


@error_case("interpreter-refused")
def _(host: Host, _stack: ExitStack) -> list[str]:
    opened = host.directory.parent / "opened"
    opened.mkdir()
    opened.chmod(0o777)
    (opened / "python3.12").symlink_to(interpreters()["3.12"])
    web(host, "alpha", python=str(opened / "python3.12"))
    return ["lock"]


@error_case("state")
def _(host: Host, _stack: ExitStack) -> list[str]:
    web(host, "alpha")
    host.root.write_text("", encoding="utf-8")
    return ["apply", "--yes"]


@error_case("state-damaged")
def _(host: Host, _stack: ExitStack) -> list[str]:
    web(host, "alpha")
    host.apply()
    (host.root / ".envsync/environments/web.json").write_text("", encoding="utf-8")
    return ["rollback", "web"]


@error_case("newer-format")
def _(host: Host, _stack: ExitStack) -> list[str]:
    web(host, "alpha")
    host.apply()
    (host.root / ".envsync/environments/web.json").write_text('{"format": 3}', encoding="utf-8")
    return ["rollback", "web"]


@error_case("newer-lock")
def _(host: Host, _stack: ExitStack) -> list[str]:
    web(host, "alpha")
    (host.directory / "locks").mkdir()
    (host.directory / "locks/pylock.web.toml").write_text('lock-version = "2.0"\n', encoding="utf-8")
    return ["lock"]


@error_case("lock-refused")
def _(host: Host, _stack: ExitStack) -> list[str]:
    web(host, "beta")
    assert host.envsync("lock").code == 0
    path = host.directory / "locks/pylock.web.toml"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace(f"{host.index.base}/files", "https://files.other.example"), encoding="utf-8")
    return ["validate"]


@error_case("unset-variable")
def _(host: Host, _stack: ExitStack) -> list[str]:
    web(host, "alpha", more="  build_env: {from_env: [ACME_TOKEN]}\n")
    return ["lock"]


@error_case("lock-write")
def _(host: Host, _stack: ExitStack) -> list[str]:
    web(host, "alpha")
    (host.directory / "locks").symlink_to("missing/locks")
    return ["lock"]


@error_case("root-owner")
def _(host: Host, _stack: ExitStack) -> list[str]:
    web(host, "alpha")
    if os.geteuid() != 0:
        pytest.skip("only root can give a directory to a different user")
    host.root.mkdir()
    os.chown(host.root, 1, 1)
    return ["apply", "--yes"]


@error_case("root-writable")
def _(host: Host, _stack: ExitStack) -> list[str]:
    web(host, "alpha")
    host.apply()
    host.root.chmod(0o777)
    return ["check"]


@error_case("root-tracked")
def _(host: Host, _stack: ExitStack) -> list[str]:
    web(host, "alpha")
    host.apply()
    git(host.directory, "init", "-q")
    git(host.directory, "add", "-f", ".envs")
    return ["check"]


@error_case("root-untrusted")
def _(host: Host, _stack: ExitStack) -> list[str]:
    web(host, "alpha")
    host.apply()
    (host.root / ".envsync/root.json").unlink()
    return ["check"]


@error_case("lock-timeout")
def _(host: Host, stack: ExitStack) -> list[str]:
    web(host, "alpha")
    stack.enter_context(acquire_root_mutex(Layout(host.root), timeout=5))
    return ["apply", "--yes", "--lock-timeout", "0"]


@error_case("os-error")
def _(host: Host, _stack: ExitStack) -> list[str]:
    web(host, "alpha")
    arguments = locked(host)
    cache = host.root / ".envsync/cache"
    shutil.rmtree(cache)
    cache.write_text("a file in the place of a directory", encoding="utf-8")
    return arguments


@error_case("pyvenv-cfg")
def _(host: Host, _stack: ExitStack) -> list[str]:
    web(host, "alpha", more='  probes: [{run: [sh, -c, "rm $VIRTUAL_ENV/pyvenv.cfg"]}]\n')
    return locked(host)


@error_case("resolve")
def _(host: Host, _stack: ExitStack) -> list[str]:
    web(host, "alpha>2")
    return ["plan"]


@error_case("not-found")
def _(host: Host, _stack: ExitStack) -> list[str]:
    web(host, "flaks")
    return ["plan"]


@error_case("yanked")
def _(host: Host, _stack: ExitStack) -> list[str]:
    make_wheel(wheels(host), "acme", "1.0")
    host.index.yanked["acme-1.0-py3-none-any.whl"] = "wrong"
    web(host, "acme")
    return ["plan"]


@error_case("no-wheel")
def _(host: Host, _stack: ExitStack) -> list[str]:
    make_wheel(wheels(host), "acme", "1.0", tag="cp27-cp27m-win32")
    web(host, "acme")
    return ["plan"]


@error_case("build-needed")
def _(host: Host, _stack: ExitStack) -> list[str]:
    make_sdist(wheels(host), "acme", "1.0")
    web(host, "acme", more="  builds: deny\n")
    return ["apply", "--yes"]


@error_case("build-failed")
def _(host: Host, _stack: ExitStack) -> list[str]:
    make_sdist(wheels(host), "acme", "1.0", files={"pyproject.toml": STATIC, "backend.py": BACKEND})
    web(host, "acme")
    return locked(host)


@error_case("git")
def _(host: Host, _stack: ExitStack) -> list[str]:
    web(host, f"acme @ git+file://{host.directory}/missing.git")
    return ["plan"]


@error_case("offline")
def _(host: Host, _stack: ExitStack) -> list[str]:
    web(host, "alpha")
    return [*locked(host), "--offline"]


@error_case("hash-mismatch")
def _(host: Host, _stack: ExitStack) -> list[str]:
    web(host, "gamma")
    arguments = locked(host)
    make_wheel(wheels(host), "gamma", "0.1", modules={"gamma/__init__.py": "CHANGED = True\n"})
    return arguments


@error_case("damaged-cache")
def _(host: Host, _stack: ExitStack) -> list[str]:
    rewrite(make_wheel(wheels(host), "acme", "1.0"), drop="/WHEEL")
    web(host, "acme")
    return locked(host)


@error_case("unsafe-cache")
def _(host: Host, _stack: ExitStack) -> list[str]:
    git(host.directory, "init", "-q")
    host.manifest('web:\n  python: "3.11"\n  packages: [alpha]\n', head="cache: user\n")
    host.env["XDG_CACHE_HOME"] = str(host.directory / ".cache")
    return ["lock"]


@error_case("reserved-name")
def _(host: Host, _stack: ExitStack) -> list[str]:
    make_wheel(wheels(host), "acme", "1.0", scripts={"python": "acme:main"})
    web(host, "acme")
    return locked(host)


@error_case("wheel-mislabelled")
def _(host: Host, _stack: ExitStack) -> list[str]:
    make_wheel(wheels(host), "acme", "1.0").rename(wheels(host) / "acme-2.0-py3-none-any.whl")
    web(host, "acme")
    return locked(host)


@error_case("engine")
def _(host: Host, _stack: ExitStack) -> list[str]:
    rewrite(make_wheel(wheels(host), "acme", "1.0"), drop="/RECORD")
    web(host, "acme")
    return locked(host)


def fault(fault: Fault | int, seconds: str) -> Scenario:
    """Return a scenario in which the index fails for the page of a package."""

    def scenario(host: Host, _stack: ExitStack) -> list[str]:
        if isinstance(fault, Fault):
            host.index.faulty["/simple/gamma/"] = fault
        else:
            host.index.broken["/simple/gamma/"] = fault
        web(host, "gamma")
        return ["plan", "--timeout", seconds]

    return scenario


error_case("deadline")(fault(Fault.DRIP, "2"))
error_case("index-slow")(fault(Fault.HANG, "3"))
error_case("index-truncated")(fault(Fault.TRUNCATE, "20"))
error_case("index")(fault(400, "20"))
error_case("index-forbidden")(fault(401, "20"))
error_case("index-server-error")(fault(503, "20"))


@error_case("index-unreachable")
def _(host: Host, _stack: ExitStack) -> list[str]:
    web(host, "gamma")
    manifest = host.directory / "envs.yaml"
    manifest.write_text(manifest.read_text("utf-8").replace(host.index.base, "http://127.0.0.1:1"), encoding="utf-8")
    return ["plan", "--timeout", "20"]


@error_case("file-damaged")
def _(host: Host, _stack: ExitStack) -> list[str]:
    web(host, "gamma")
    arguments = locked(host)
    wheel = wheels(host) / "gamma-0.1-py3-none-any.whl"
    wheel.write_bytes(b"x" * wheel.stat().st_size)
    return arguments


@error_case("file-gone")
def _(host: Host, _stack: ExitStack) -> list[str]:
    web(host, "gamma")
    host.index.broken["/files/gamma-0.1-py3-none-any.whl"] = 404
    return locked(host)


@error_case("apply")
def _(host: Host, _stack: ExitStack) -> list[str]:
    make_wheel(wheels(host), "acme", "1.0", data={"data/pyvenv.cfg": "home = /\n"})
    web(host, "acme")
    return locked(host)


@error_case("record-mismatch")
def _(host: Host, _stack: ExitStack) -> list[str]:
    rewrite(make_wheel(wheels(host), "acme", "1.0"), edit="acme/__init__.py")
    web(host, "acme")
    return locked(host)


@error_case("probe-failed")
def _(host: Host, _stack: ExitStack) -> list[str]:
    web(host, "alpha", more="  probes: [{import: acme}]\n")
    return locked(host)


@error_case("hook-failed")
def _(host: Host, _stack: ExitStack) -> list[str]:
    web(host, "alpha", more='  hooks: {after_publish: [["false"]]}\n')
    host.envsync("apply", "--yes")  # the first time, the message has more words
    return ["apply", "--yes"]


@error_case("hook-changed-environment")
def _(host: Host, _stack: ExitStack) -> list[str]:
    web(host, "alpha", more='  hooks: {after_publish: [["false"]]}\n')
    host.envsync("apply", "--yes")  # the first time, the message has more words
    code = "import sys; open(sys.prefix + '/cache.db', 'w')"
    web(host, "alpha", more=f'  hooks: {{after_publish: [[python, -c, "{code}"]]}}\n')
    return ["apply", "--yes"]


@error_case("run")
def _(host: Host, _stack: ExitStack) -> list[str]:
    web(host, "alpha")
    return ["run", "web", "--", "python"]


@error_case("not-executable")
def _(host: Host, _stack: ExitStack) -> list[str]:
    web(host)
    host.apply()
    (host.directory / "script").touch()
    return ["run", "web", "--", "./script"]


@error_case("command-not-found")
def _(host: Host, _stack: ExitStack) -> list[str]:
    web(host)
    host.apply()
    return ["run", "web", "--", "gunicorn"]


def run_scenario(code: str, directory: Path) -> tuple[str, Ran, Ran]:
    """Return the message as the page shows it, and the two runs: as text and, if the command has it, as JSON."""
    with new_host(directory) as host, ExitStack() as stack:
        arguments = SCENARIOS[code](host, stack)
        ran = host.envsync(*arguments)
        only_text = arguments[0] in {"run", "lock", "rollback", "validate"}
        as_json = ran if only_text else host.envsync(*arguments, "--output", "json")
        lines = [line for line in ran.err.splitlines() if SHOWN.match(line)]
        return shown("\n".join(lines) + "\n", host), ran, as_json


def shown(text: str, host: Host) -> str:
    """Return a message with the names, times and places of the page instead of those of this machine."""
    text = text.replace(str(host.directory), "/srv/acme").replace(str(host.directory.parent), "/srv")
    text = re.sub(r"127\.0\.0\.1:\d+", "pypi.acme.example", text)
    text = re.sub(r"\bin \d+\.\d+s", "in 0.4s", text)
    return re.sub(r"pid \d+ on .*", "pid 4242 on `host1`, since 2026-11-30T02:00:00+00:00, `envsync apply`", text)


def full_disk() -> tuple[int, str]:
    """Return exit code and message of a command whose output is a file on a full disk."""
    with open("/dev/full", "w", encoding="utf-8") as full:  # noqa: PTH123  # a device
        done = subprocess.run(
            [sys.executable, "-m", "reconciler", "schema", "plan"],
            stdout=full,
            stderr=subprocess.PIPE,
            env=base_environment(),
            text=True,
            check=False,
        )
    return done.returncode, done.stderr


def block(code: str) -> str | None:
    """Return the message in the section of an error, None if it has none."""
    found = TEXT.search(section(PAGE, f"`{code}`"))
    return found and found.group().removeprefix("```text\n").removesuffix("```\n")


def table(codes: Mapping[str, str]) -> str:
    """Return the rows of codes with their meaning and their cure, in the words of SARIF's rules."""
    rows = [f"| `{code}` | {RULES[code].meaning}. | {RULES[code].remedy} |\n" for code in codes]
    return "".join(["| code | meaning | what to do |\n", "| --- | --- | --- |\n", *rows])


def test_every_error_has_a_section_and_every_section_an_error() -> None:
    headings = [each.strip("`") for each in read_page(PAGE).headings if each.startswith("`")]
    assert sorted(headings) == sorted(ERRORS), "docs/troubleshooting.md: one section for each error code"


@pytest.mark.parametrize("code", ERRORS)
def test_the_exit_code_is_that_of_the_class(code: str) -> None:
    text = section(PAGE, f"`{code}`")
    assert text.startswith(f"\nExit code {ERRORS[code].exit_code}. ")
    assert re.search(r"\n- |builds a new generation|is a finding", text), "a section says what to do"


@pytest.mark.parametrize("name", TABLES)
def test_every_code_of_a_plan_has_a_row_in_the_words_of_its_rule(name: str) -> None:
    written = PAGE.read_text(encoding="utf-8").partition(f"<!-- {name} -->\n")[2].partition(f"<!-- /{name} -->")[0]
    codes = [each for each in TABLES[name] if each in RULES]  # tests/render/test_issues.py finds those without a rule
    assert written == table({each.value: each.name for each in codes}), (
        "run `python -m tests.docs.test_troubleshooting`"
    )


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_the_message_of_a_full_disk() -> None:
    code, message = full_disk()
    assert (code, message) == (ERRORS["output"].exit_code, block("output"))


def test_the_message_of_another_platform(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(sys, "platform", "win32")
    with pytest.raises(PlatformError) as caught:
        reconciler.load(tmp_path / "envs.yaml")
    assert f"error: {caught.value.message}\n" == block("platform")


def test_the_message_of_a_file_system_without_locks(tmp_path: Path) -> None:
    missing = Missing(fact="file locks", where="NFS", calls=("flock",), error=errno.ENOLCK)
    with new_host(tmp_path) as host:
        web(host, "alpha")
        said = run_without(missing, host.directory, ["apply", "--yes"], scratch=tmp_path)
        message = shown(said.err, host).rstrip("\n") + "\n"
    assert said.code == ERRORS["root-file-system"].exit_code
    assert re.sub(r"\(\w+\)$", "(ext4)", message, flags=re.MULTILINE) == block("root-file-system")


def test_every_message_on_the_page_is_tried() -> None:
    assert {code for code in ERRORS if block(code) is not None} == {
        *SCENARIOS,
        "output",
        "platform",
        "root-file-system",
    }


@pytest.mark.parametrize("code", SCENARIOS)
def test_the_message_and_the_code_are_what_envsync_prints(code: str, tmp_path: Path) -> None:
    message, ran, as_json = run_scenario(code, tmp_path)
    assert message == block(code), "run `python -m tests.docs.test_troubleshooting`"
    # A lock that cannot be read is the failure of one environment, so that `lock` exits with 1.
    assert ran.code == {"newer-lock": 1, "hook-changed-environment": 4}.get(code, ERRORS[code].exit_code)
    if as_json is not ran and code != "hook-changed-environment":  # the second run is blocked, and runs no hook
        assert re.search(rf'"code": ?"{code}"', as_json.out), as_json.out


def commands() -> list[str]:
    """Return every command line with `envsync` on the page: those in code blocks, and those in the text."""
    text = PAGE.read_text(encoding="utf-8")
    blocks = [line for each in re.findall(r"```sh\n(.*?)```", text, re.DOTALL) for line in each.splitlines()]
    spans = re.findall(r"`(envsync [^`]+)`", re.sub(r"```.*?```", "", text, flags=re.DOTALL))
    lines = [line.partition(" #")[0].strip().replace('"$(command -v envsync)"', "; envsync") for line in blocks]
    return sorted({re.sub(r"^\w+=\S+ (?=envsync)", "", each) for each in [*lines, *spans] if "envsync " in each})


@pytest.mark.parametrize("line", commands())
def test_a_command_on_the_page_parses(line: str) -> None:
    group = get_command(app)
    assert isinstance(group, TyperGroup)
    found = [each for each in invocations(line) if each]
    assert found, line
    for command, *arguments in found:
        if command == "--help":
            continue
        known = group.commands[command]
        if arguments not in ([], ["--help"]):  # the name of a command alone is not a command line
            known.make_context(command, arguments, parent=Context(group))


def write_page() -> None:
    """Write the messages and the tables of the page."""
    text = PAGE.read_text(encoding="utf-8")
    for name, codes in TABLES.items():
        rows = table({each.value: each.name for each in codes})
        before, _, rest = text.partition(f"<!-- {name} -->\n")
        end = f"<!-- /{name} -->"
        text = f"{before}<!-- {name} -->\n{rows}{end}{rest.partition(end)[2]}"
    messages = {"output": full_disk()[1], "platform": block("platform") or ""}
    for code in SCENARIOS:
        with tempfile.TemporaryDirectory() as directory:
            messages[code] = run_scenario(code, Path(directory).resolve())[0]
    for code, message in messages.items():
        start = text.index(f"\n### `{code}`\n")
        before, rest = text[:start], text[start:]
        found = TEXT.search(rest)
        assert found is not None
        text = f"{before}{rest[: found.start()]}```text\n{message}```\n{rest[found.end() :]}"
    PAGE.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    write_page()
