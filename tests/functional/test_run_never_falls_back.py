"""`envsync run` starts a command of the environment or refuses: nothing on PATH takes the place of what is missing."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.host import Host, Ran, base_environment, new_host

MANIFEST = """
jobs:
  python: {python}
  packages: [gamma]
  env: {{COLOR: blue}}
test:
  packages: [beta]
  matrix: {{python: ["3.11"]}}
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    """A host with `jobs`, whose interpreter is a copy that a test can remove, and the matrix `test`."""
    directory = tmp_path_factory.mktemp("run")
    real = Path(sys.executable).resolve()
    prefix = directory / "python"
    (prefix / "bin").mkdir(parents=True)
    shutil.copy(real, prefix / "bin" / real.name)
    (prefix / "lib").symlink_to(real.parent.parent / "lib")  # hundreds of MiB, which no test changes
    with new_host(directory / "host") as host:
        host.manifest(MANIFEST.format(python=prefix / "bin" / real.name))
        host.apply()
        yield host


@pytest.fixture
def jobs(made: Host) -> Iterator[Host]:
    """That host, and everything of it as before after the test."""
    saved = made.directory.with_name("saved")
    python = made.directory.parent.with_name("python")
    shutil.copytree(made.directory, saved, symlinks=True)
    yield made
    hidden = python.with_name("hidden")
    if hidden.exists():
        hidden.rename(python)
    shutil.rmtree(made.directory)
    saved.rename(made.directory)


def without_interpreter(host: Host) -> None:
    """Remove the interpreter, as an upgrade of the system's Python does."""
    python = host.directory.parent.with_name("python")
    python.rename(python.with_name("hidden"))


def tools(host: Host) -> Path:
    """Return a directory for PATH with a program of each name that the environment must not take from there."""
    directory = host.directory / "tools"
    directory.mkdir()
    for name in ("python", "python3", "python3.11", "python3.9", "pythonw", "pip", "pip3.9", "gamma", "tool"):
        program = directory / name
        program.write_text("#!/bin/sh\necho from PATH\n")
        program.chmod(0o755)
    return directory


def run(host: Host, *command: str, **variables: str) -> Ran:
    return host.envsync("run", "jobs", "--", *command, env=variables)


@pytest.mark.parametrize("command", ["python", "python3", "python3.11", "gamma"])
def test_a_command_whose_interpreter_is_gone_is_not_taken_from_path(jobs: Host, command: str) -> None:
    path = f"{tools(jobs)}:{os.environ['PATH']}"
    without_interpreter(jobs)
    ran = run(jobs, command, PATH=path)
    assert ran.code == 127, ran.out + ran.err
    assert "points to an interpreter that no longer exists" in ran.err
    assert "of environment `jobs`" in ran.err
    assert "hint: run `envsync apply jobs`" in ran.err


@pytest.mark.parametrize("command", [["sh", "-c", "python"], ["env", "python"], ["tool"], ["./tools/tool"]])
def test_a_command_from_outside_does_not_start_without_the_interpreter(jobs: Host, command: list[str]) -> None:
    """It would find another `python` on PATH."""
    path = f"{tools(jobs)}:{os.environ['PATH']}"
    assert run(jobs, *command, PATH=path).code == 0
    without_interpreter(jobs)
    ran = run(jobs, *command, PATH=path)
    assert ran.code == 125, ran.out + ran.err
    assert "points to an interpreter that no longer exists" in ran.err


def test_a_program_of_the_environment_that_needs_no_interpreter_starts(jobs: Host) -> None:
    program = jobs.venv("jobs") / "bin" / "native"
    program.write_text("#!/bin/sh\necho native\n")
    program.chmod(0o755)
    without_interpreter(jobs)
    assert run(jobs, "native").out == "native\n"


@pytest.mark.parametrize("command", ["python3.9", "pythonw", "pip3.9", "PYTHON3.9"])
def test_no_python_and_no_pip_comes_from_path(jobs: Host, command: str) -> None:
    directory = tools(jobs)
    shutil.copy(directory / "tool", directory / "PYTHON3.9")
    ran = run(jobs, command, PATH=f"{directory}:{os.environ['PATH']}")
    assert (ran.code, "takes no Python or pip from `PATH`" in ran.err) == (127, True)


def test_other_programs_come_from_path_and_the_environment_comes_first(jobs: Host) -> None:
    path = f"{tools(jobs)}:{os.environ['PATH']}"
    assert run(jobs, "tool", PATH=path).out == "from PATH\n"
    assert run(jobs, "pip", PATH=path).out != "from PATH\n"


def _dangling(path: Path) -> None:
    path.symlink_to("/nowhere/at/all")


def _loop(path: Path) -> None:
    path.symlink_to(path.name)


def _plain(path: Path) -> None:
    path.write_text("#!/bin/sh\n")
    path.chmod(0o644)


def _no_first_line(path: Path) -> None:
    path.write_bytes(b"\0\1\2")
    path.chmod(0o755)


def _lost_first_line(path: Path) -> None:
    path.write_text("#!/nowhere/at/all\n")
    path.chmod(0o755)


@pytest.mark.parametrize(
    ("make", "code", "message"),
    [
        (_dangling, 127, "points to a missing file: `/nowhere/at/all`"),
        (_loop, 126, "Too many levels of symbolic links"),
        (_plain, 126, "Permission denied"),
        (Path.mkdir, 126, "Is a directory"),
        (_no_first_line, 126, "Exec format error"),
        (_lost_first_line, 127, "the interpreter in its first line, was not found"),
    ],
)
@pytest.mark.parametrize("place", ["environment", "path"])
def test_a_name_in_the_environment_is_never_looked_up_on_path(
    jobs: Host, make: Callable[[Path], None], code: int, message: str, place: str
) -> None:
    """The same file, named by its path, has the same exit code."""
    path = f"{tools(jobs)}:{os.environ['PATH']}"
    directory = jobs.venv("jobs") / "bin" if place == "environment" else jobs.directory
    (directory / "tool").unlink(missing_ok=True)
    make(directory / "tool")
    ran = run(jobs, "tool" if place == "environment" else "./tool", PATH=path)
    assert ran.code == code, ran.out + ran.err
    assert message in ran.err or (make is _dangling and place == "path")


@pytest.mark.parametrize("path", ["", ":", ".:/usr/bin", "/usr/bin::", "tools"])
def test_relative_and_empty_entries_of_path_are_not_searched(jobs: Host, path: str) -> None:
    """A file in the working directory could take the place of a command."""
    shutil.copy(tools(jobs) / "tool", jobs.directory / "planted")
    shutil.copy(jobs.directory / "planted", jobs.directory / "tools" / "planted")
    ran = run(jobs, "planted", PATH=path)
    assert ran.code == 127
    assert ("hint: write the path: `./" in ran.err) == (path != "")


@pytest.mark.parametrize(
    ("command", "code", "message"),
    [
        ([""], 127, "not found"),
        (["."], 126, "Is a directory"),
        ([".."], 126, "Is a directory"),
        (["/"], 126, "Is a directory"),
        (["./envs.yaml/x"], 126, "Not a directory"),
        (["n" * 300], 127, "not found"),
        (["/" + "n" * 300], 126, "File name too long"),
    ],
)
def test_an_odd_command_has_the_exit_code_of_a_shell(jobs: Host, command: list[str], code: int, message: str) -> None:
    ran = run(jobs, *command)
    assert ran.code == code
    assert message in ran.err


def test_variables_that_are_too_long_are_named(jobs: Host) -> None:
    text = (jobs.directory / "envs.yaml").read_text()
    (jobs.directory / "envs.yaml").write_text(text.replace("COLOR: blue", f"LONG: {'x' * 140_000}"))
    jobs.apply()
    ran = run(jobs, "true")
    assert (ran.code, "Argument list too long" in ran.err, "variables" in ran.err) == (126, True, True)


def test_a_program_that_is_being_written_is_refused(jobs: Host) -> None:
    program = jobs.directory / "busy"
    shutil.copy("/bin/true", program)
    with program.open("ab"):
        ran = run(jobs, "./busy")
    assert (ran.code, "Text file busy" in ran.err) == (126, True)


def _damaged_cache(host: Host) -> None:
    from reconciler.state.columns_file import dump_columns

    for value in ({}, {"generation": 1}, {"generation": 1, "files": [], "env": 3}, {"generation": 1, "files": 7}):
        file = host.root / ".envsync/cache/agreed/jobs"
        file.write_bytes(dump_columns(str(file), "agreed", value))
        assert run(host, "python", "-c", "import os; print(os.environ['COLOR'])").out == "blue\n", value
    (host.root / ".envsync/cache/agreed/jobs").write_bytes(b"damaged")


def _no_cache(host: Host) -> None:
    shutil.rmtree(host.root / ".envsync/cache")


@pytest.mark.parametrize("damage", [_damaged_cache, _no_cache])
def test_a_damaged_cache_changes_nothing(jobs: Host, damage: Callable[[Host], None]) -> None:
    damage(jobs)
    assert run(jobs, "python", "-c", "import os; print(os.environ['COLOR'])").out == "blue\n"


def _replaced(path: str, content: str | None) -> Callable[[Host], None]:
    def replace(host: Host) -> None:
        shutil.rmtree(host.root / ".envsync/cache")
        place = host.directory / path
        shutil.rmtree(place) if place.is_dir() and not place.is_symlink() else place.unlink()
        if content is not None:
            place.write_text(content)

    return replace


def _root_loop(host: Host) -> None:
    shutil.rmtree(host.root)
    host.root.symlink_to(host.root.name)


def _foreign_directory(host: Host) -> None:
    host.venv("jobs").unlink()
    host.venv("jobs").mkdir()


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (_replaced(".envs/.envsync/environments/jobs.json", "{"), "jobs.json"),
        (_replaced(".envs/.envsync/environments/jobs.json", '{"format": 99, "applied": {}}'), "jobs.json"),
        (_replaced(".envs/.envsync/environments/jobs.json", '{"format": 1, "applied": []}'), "jobs.json"),
        (_replaced(".envs/.envsync/generations/jobs/1/seal.json", None), "generation 1 of `jobs` is published, but"),
        (_replaced(".envs/.envsync/generations/jobs/1", None), "generation 1 of `jobs` is published, but"),
        (_replaced(".envs/.envsync/generations/jobs/1", "a file"), "generation 1 of `jobs` is published, but"),
        (_replaced(".envs/.envsync", None), "generation 1 of `jobs` is published, but"),
        (_replaced(".envs", None), "does not exist"),
        (_replaced(".envs", "a file"), "is not a directory"),
        (_root_loop, "Too many levels of symbolic links"),
        (_foreign_directory, "is not a symbolic link that envsync made"),
        (_replaced("envs.yaml", None), "envs.yaml: No such file or directory"),
    ],
)
def test_a_damaged_root_is_named_with_exit_code_125(jobs: Host, damage: Callable[[Host], None], message: str) -> None:
    damage(jobs)
    ran = run(jobs, "true")
    assert ran.code == 125, ran.err
    assert message in ran.err
    assert "hint: " in ran.err


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("test", "`test` has several environments: `test-py311`"),
        ("jbos", "did you mean `jobs`?"),
        ("test-py31", "did you mean `test-py311`?"),
        ("unlike-all-others", "use one of the environments: `jobs`, `test-py311`"),
        ("", "is not a valid environment name"),
        ("Jobs", "is not a valid environment name"),
        ("jobs/..", "is not a valid environment name"),
    ],
)
@pytest.mark.parametrize("valid", [True, False])
def test_a_name_that_is_not_published_is_explained(made: Host, name: str, message: str, valid: bool) -> None:
    """Without a valid manifest, from what is published."""
    manifest = made.directory / "envs.yaml"
    text = manifest.read_text()
    if not valid:
        manifest.write_text(text + "  broken: [")
    ran = made.envsync("run", name, "--", "true")
    manifest.write_text(text)
    assert ran.code == 125
    assert message in ran.err or (not valid and name == "test" and "did you mean `test-py311`?" in ran.err)


def test_an_environment_that_was_never_applied_is_named_with_the_command(jobs: Host) -> None:
    with (jobs.directory / "envs.yaml").open("a") as manifest:
        manifest.write("  new: {python: '3.11'}\n")
    ran = jobs.envsync("run", "new", "--", "true")
    assert (ran.code, "hint: run `envsync apply new`" in ran.err) == (125, True)


def _start(host: Host, script: str) -> subprocess.CompletedProcess[str]:
    """Run a shell script in which `$ENVSYNC` is the command."""
    return subprocess.run(
        ["sh", "-c", script],
        cwd=host.directory,
        env={**base_environment(), "ENVSYNC": f"{sys.executable} -m reconciler", "FILE": f"{host.directory}/envs.yaml"},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@pytest.mark.parametrize(
    ("script", "code", "out"),
    [
        ("mkdir gone; cd gone; rmdir ../gone; $ENVSYNC run -f $FILE jobs -- echo up", 0, "up\n"),
        ("mkdir gone; cd gone; rmdir ../gone; $ENVSYNC run jobs -- echo up", 125, ""),
        ("$ENVSYNC run jobs -- cat <&-", 1, ""),
        ("$ENVSYNC run unknown -- true 2>&-", 125, ""),
        ("$ENVSYNC run unknown -- true 2>/dev/full", 125, ""),
        ("$ENVSYNC run jobs -- sh -c 'yes | head -1'", 0, "y\n"),
    ],
)
def test_odd_surroundings_cause_no_traceback(jobs: Host, script: str, code: int, out: str) -> None:
    done = _start(jobs, script)
    assert (done.returncode, done.stdout) == (code, out), done.stderr
    assert "Traceback" not in done.stderr
    assert "Broken pipe" not in done.stderr, "Python ignores SIGPIPE, and the command must not"


@pytest.fixture
def no_ignored_signal() -> Iterator[None]:
    """Ignore no signal of those that nohup(1), or a shell for a job in the background, ignores in its children."""
    before = {each: signal.getsignal(each) for each in (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT)}
    for each, handler in before.items():
        if handler is signal.SIG_IGN:
            signal.signal(each, signal.SIG_DFL)
    yield
    for each, handler in before.items():
        signal.signal(each, handler)


@pytest.mark.usefixtures("no_ignored_signal")
def test_the_command_gets_the_default_of_every_signal(jobs: Host) -> None:
    script = "import signal; print(*[each.name for each in signal.valid_signals() if isinstance(each, signal.Signals) "
    script += "and signal.getsignal(each) is signal.SIG_IGN])"
    ran = run(jobs, "python", "-S", "-c", script)
    ignored_by_python = {signal.SIGPIPE.name, signal.SIGXFSZ.name}  # by the command's own Python
    assert set(ran.out.split()) == ignored_by_python
    status = run(jobs, "grep", "SigIgn", "/proc/self/status")
    assert int(status.out.split()[1], 16) == 0
