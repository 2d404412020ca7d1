"""Hints about the root: records, seals, the mutex, the owner, the file system, rollback and collection."""

import errno
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from reconciler.cli.installation import report_overwritten
from reconciler.fs.os_error_hint import os_error_hint
from reconciler.state.layout import Layout
from reconciler.state.root_mutex import acquire_root_mutex
from reconciler.state.store import State
from tests.hints.trials import Attempts, pattern, trial, tried
from tests.host import Host, Ran, base_environment
from tests.mounts import mounted

WEB = 'web:\n  python: "3.11"\n'
JOBS = 'jobs:\n  python: "3.11"\n'


def apply(host: Host, *arguments: str) -> None:
    ran = host.envsync("apply", "--yes", *arguments)
    assert ran.code == 0, ran.out + ran.err


def state(host: Host) -> Path:
    return host.root / ".envsync"


@trial(
    "state/state_file.py: replace the symbolic link `{step}` with the directory that it points to",
    "state/state_file.py: restore the directory `{step}` from a backup",
)
def test_something_else_in_the_place_of_a_directory_of_the_state(host: Host, attempts: Attempts) -> None:
    host.manifest(WEB)
    apply(host)
    records = state(host) / "environments"
    elsewhere = host.directory / "elsewhere"
    records.rename(elsewhere)
    records.symlink_to(elsewhere)
    attempts.refused(lambda: State(Layout(host.root)).applied("web"))  # each command refuses the link before it reads
    records.unlink()
    elsewhere.rename(records)
    attempts.gone("plan", "--detailed-exitcode")

    records.rename(elsewhere)
    records.write_text("", encoding="utf-8")
    host.manifest(f"{WEB}  env: {{A: b}}\n")
    attempts.provoke("plan")
    records.unlink()
    elsewhere.rename(records)
    attempts.gone("plan")


@trial(
    "state/store.py: restore the file from a backup, or delete it: envsync then reads the seal instead",
    "errors.py: use the envsync that made it, or a newer one",
    "state/seal.py: restore the file from a backup, or run `envsync apply`, which builds the environment again",
    "state/deleted.py: restore it from a backup, or delete it: `envsync gc` then deletes the generations of `{name}`",
    "state/store.py: replace the symbolic link with a real directory",
    "state/root_trust.py: replace it with a real directory; to keep the environments elsewhere, set `root` in the manifest",
    "cli/app.py: check the file or directory, then run the command again",
    long=True,
)
def test_files_of_the_state(host: Host, attempts: Attempts) -> None:
    host.manifest(WEB + JOBS)
    apply(host)
    record = state(host) / "environments/web.json"
    backup = record.read_bytes()
    record.write_text("", encoding="utf-8")
    attempts.provoke("plan")
    record.write_bytes(backup)
    attempts.gone("plan")
    record.write_text("", encoding="utf-8")
    record.unlink()
    attempts.gone("plan")

    record.write_text('{"format": 999}', encoding="utf-8")
    attempts.provoke("plan")
    attempts.not_here("or a newer one")
    record.write_bytes(backup)

    seal = (host.root / "web").resolve().parent / "seal.json"
    backup = seal.read_bytes()
    seal.write_text("{}", encoding="utf-8")
    attempts.provoke("rollback", "web", "--to", "1")
    seal.write_bytes(backup)
    assert host.envsync("verify", "web").code == 0
    seal.write_text("{}", encoding="utf-8")
    attempts.follow()
    attempts.gone("plan", "--detailed-exitcode")
    assert host.envsync("verify", "web").code == 0

    host.manifest(WEB)
    apply(host)
    deleted = next(state(host).glob("deleted/jobs.json"))
    deleted.write_text("", encoding="utf-8")
    attempts.provoke("rollback", "jobs")
    deleted.unlink()
    attempts.follow()
    attempts.gone("plan")
    assert not (state(host) / "generations/jobs/1/venv").exists()

    generations = state(host) / "generations/web"
    moved = host.directory / "moved"
    generations.rename(moved)
    generations.symlink_to(moved)
    attempts.provoke("apply", "--yes")
    generations.unlink()
    moved.rename(generations)
    attempts.gone("apply", "--yes")

    cache = state(host) / "cache"
    cache.rename(host.directory / "cache")
    cache.symlink_to(host.directory / "cache")
    attempts.provoke("apply", "--yes")
    cache.unlink()
    cache.mkdir()
    attempts.gone("apply", "--yes")

    cache.rename(host.directory / "cache-2")
    cache.write_text("", encoding="utf-8")
    host.manifest(WEB + "  packages: [gamma]\n")
    attempts.provoke("apply", "--yes")
    cache.unlink()
    attempts.gone("apply", "--yes")


@trial(
    "state/store.py: restore the file from a backup, or delete the symbolic link `{link}`, then run `envsync apply`",
    long=True,
)
def test_a_damaged_seal_without_a_record(host: Host, attempts: Attempts) -> None:
    host.manifest(WEB)
    apply(host)
    record = state(host) / "environments/web.json"
    record.unlink()
    seal = (host.root / "web").resolve().parent / "seal.json"
    backup = seal.read_bytes()
    seal.write_text("{}", encoding="utf-8")
    attempts.provoke("plan")
    seal.write_bytes(backup)
    assert host.envsync("plan", "--detailed-exitcode").code == 0
    seal.write_text("{}", encoding="utf-8")
    (host.root / "web").unlink()
    attempts.follow()
    attempts.gone("plan", "--detailed-exitcode")


@trial("state/root_mutex.py: wait until it ends, or wait longer with `--lock-timeout`")
def test_a_root_that_is_locked(host: Host, attempts: Attempts) -> None:
    host.manifest("")
    with acquire_root_mutex(Layout(host.root), timeout=5):
        attempts.provoke("apply", "--yes", "--lock-timeout", "0")
    attempts.gone("apply", "--yes", "--lock-timeout", "0")
    held = threading.Event()

    def hold() -> None:
        with acquire_root_mutex(Layout(host.root), timeout=5):
            held.set()
            released.wait(0.7)

    released = threading.Event()
    holder = threading.Thread(target=hold)
    holder.start()
    held.wait()
    attempts.gone("apply", "--yes", *attempts.options(), "60")
    holder.join()


@trial("state/root_mutex.py: wait until they end, or end them, or wait longer with `--lock-timeout`")
def test_a_root_that_an_orphan_locks(host: Host, attempts: Attempts) -> None:
    host.manifest("")
    apply(host)
    code = (
        "import os, subprocess, sys\nfrom pathlib import Path\n"
        "from reconciler.state.layout import Layout\nfrom reconciler.state.root_mutex import acquire_root_mutex\n"
        "with acquire_root_mutex(Layout(Path(sys.argv[1])), timeout=5) as descriptor:\n"
        "    child = subprocess.Popen(['sleep', '60'], pass_fds=(descriptor,), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)\n"
        "    print(child.pid, flush=True)\n    os.kill(os.getpid(), 9)\n"
    )
    killed = subprocess.run(
        [sys.executable, "-c", code, host.root], env=base_environment(), capture_output=True, text=True, check=False
    )
    orphan = int(killed.stdout)
    try:
        attempts.provoke("apply", "--yes", "--lock-timeout", "0")
    finally:
        os.kill(orphan, 9)
    attempts.gone("apply", "--yes", *attempts.options(), "10")


@trial(
    "apply/rollback.py: change the manifest and run `envsync apply {name}`",
    "apply/rollback.py: choose another generation with `--to`: {numbers}",
    "cli/maintenance.py: change the manifest as well, or the next `apply` undoes the rollback",
)
def test_rollback(host: Host, attempts: Attempts) -> None:
    host.manifest(WEB)
    apply(host)
    attempts.provoke("rollback", "web")
    host.manifest(WEB + "  packages: [beta]\n")
    attempts.follow()
    attempts.printed_by(attempts.gone("rollback", "web"))
    host.manifest(WEB)
    attempts.gone("plan")

    hint = attempts.provoke("rollback", "web", "--to", "9")
    number = hint.rpartition(": ")[2].split(", ")[0]
    attempts.gone("rollback", "web", "--to", number)
    host.manifest(WEB if number == "1" else WEB + "  packages: [beta]\n")
    apply(host)


@trial("apply/republish.py: the rollback is done: do not repeat it")
def test_a_rollback_that_could_not_be_recorded(host: Host, attempts: Attempts) -> None:
    """The new record is written before the generation is published, but the old one cannot be replaced."""
    host.manifest(WEB)
    apply(host)
    host.manifest(WEB + "  packages: [beta]\n")
    apply(host)
    record = state(host) / "environments/web.json"
    if subprocess.run(["chattr", "+i", record], capture_output=True, check=False).returncode:
        pytest.skip("no immutable files here")
    try:
        attempts.provoke("rollback", "web")
        assert str((host.root / "web").readlink()).endswith("/1/venv"), "the rollback is done"
    finally:
        subprocess.run(["chattr", "-i", record], check=True)
    host.manifest(WEB)
    attempts.gone("plan")
    apply(host)
    attempts.gone("plan", "--detailed-exitcode")


@trial(
    "apply/perform.py: fix the cause, then run `envsync gc`; no environment needs this generation, and later runs only note it"
)
def test_a_generation_that_cannot_be_deleted(host: Host, attempts: Attempts) -> None:
    for packages in ("alpha", "beta", "gamma"):
        host.manifest(WEB + f"  packages: [{packages}]\n  keep_generations: 1\n")
        apply(host, "--no-gc")
    file = state(host) / "generations/web/1/venv/pyvenv.cfg"
    if subprocess.run(["chattr", "+i", file], capture_output=True, check=False).returncode:
        pytest.skip("no immutable files here")
    try:
        attempts.provoke("apply", "--yes")
    finally:
        subprocess.run(["chattr", "-i", file], check=True)
    attempts.follow()
    attempts.gone("apply", "--yes")
    assert file.parent.parent.is_symlink(), "what is left of a collected generation is a link to the published one"


def ran_with(host: Host, prefix: list[str], *arguments: str) -> Ran:
    """Run `envsync` through a program that changes what it may use."""
    done = subprocess.run(
        [*prefix, sys.executable, "-m", "reconciler", *arguments],
        cwd=host.directory,
        env=base_environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    return Ran(code=done.returncode, out=done.stdout, err=done.stderr)


@trial(
    "fs/os_error_hint.py: make the file system writable, then run the command again",
    "fs/os_error_hint.py: free disk space, then run the command again",
    "fs/os_error_hint.py: run envsync as the owner of the file or directory, or change its permissions",
    long=True,
)
def test_file_systems(host: Host, attempts: Attempts) -> None:
    host.manifest(WEB)
    host.root.mkdir()
    with mounted("-t", "tmpfs", "-o", "ro", "tmpfs", host.root):
        attempts.provoke("apply", "--yes")
        subprocess.run(["mount", "-o", "remount,rw", host.root], check=True)
        attempts.gone("apply", "--yes")

    with mounted("-t", "tmpfs", "-o", "size=48k", "tmpfs", host.root):
        attempts.provoke("apply", "--yes", of="fs/os_error_hint.py: free")
        subprocess.run(["mount", "-o", "remount,size=50m", host.root], check=True)
        attempts.gone("apply", "--yes")

    (host.root / "occupied").mkdir()
    with mounted("-t", "tmpfs", "-o", "size=2m", "tmpfs", host.root):
        apply(host)
        large = {f"large/f{number}.py": "x = 1\n" * 20_000 for number in range(30)}
        from tests.wheels import make_wheel

        make_wheel(host.index.directory, "large", "1.0", modules=large)
        host.manifest(WEB + "  packages: [large]\n")
        seen = {*attempts.seen}
        attempts.seen.clear()  # uv's full disk has the same hint
        attempts.provoke("apply", "--yes", of="fs/os_error_hint.py: free")
        subprocess.run(["mount", "-o", "remount,size=90m", host.root], check=True)
        attempts.gone("apply", "--yes")

    if os.geteuid() != 0:
        pytest.skip("needs a second user")
    other = host.directory / "other"
    other.mkdir(mode=0o755)
    for each in (host.directory, *host.directory.parents):
        if each.stat().st_uid == 0 and each != Path("/"):
            each.chmod(each.stat().st_mode | 0o055)
    manifest = (host.directory / "envs.yaml").read_text("utf-8")
    (other / "envs.yaml").write_text(manifest.replace("project: acme", "project: acme\nroot: envs"), encoding="utf-8")
    (other / "envs.yaml").chmod(0o600)
    attempts.seen.update(dict.fromkeys(seen, ""))
    as_user = ["setpriv", "--reuid=65534", "--clear-groups"]
    ran = ran_with(host, as_user, "validate", "-f", "other/envs.yaml")
    attempts.printed_by(ran)
    (other / "envs.yaml").chmod(0o644)
    again = ran_with(host, as_user, "validate", "-f", "other/envs.yaml")
    assert again.code == 0, again.err
    attempts.gone("validate", "-f", "other/envs.yaml")


EMFILE = tried(["fs/os_error_hint.py: allow more open files with `ulimit -n`, then run the command again"], __name__)[0]
ENOMEM = tried(["run_errors.py: free memory, then run the command again"], __name__)[0]


def test_too_many_open_files(tmp_path: Path) -> None:
    """The system call fails under `ulimit -n 8`, and succeeds under a larger one."""
    code = "import os\nopened = [os.open('/', os.O_RDONLY) for _ in range(9)]\n"
    limited = ["sh", "-c", f'ulimit -n {{}}; exec {sys.executable} -c "{code}"']
    failed = subprocess.run([*limited[:2], limited[2].format(8)], capture_output=True, text=True, check=False)
    assert "Too many open files" in failed.stderr
    assert pattern(EMFILE).fullmatch(os_error_hint(OSError(errno.EMFILE, "")) or "")
    assert subprocess.run([*limited[:2], limited[2].format(64)], check=False).returncode == 0


def test_no_memory_for_a_program_is_not_cured_here() -> None:
    from reconciler.run_errors import not_started

    error = not_started("web", "/bin/web", "/venv", "web", OSError(errno.ENOMEM, "Cannot allocate memory"))
    assert pattern(ENOMEM).fullmatch(error.hint or "")


OVERWRITTEN = tried(["cli/installation.py: create a new virtual environment and install only envsync in it"], __name__)[
    0
]


def test_another_distribution_with_the_same_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The advice is followed by the path: an environment without the other distribution has no such error."""
    info = tmp_path / "other-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: other\nVersion: 1.0\n", encoding="utf-8")
    (info / "RECORD").write_text("reconciler/__init__.py,,\n", encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert report_overwritten(ImportError("x")) == 1
    assert any(
        pattern(OVERWRITTEN).fullmatch(each.removeprefix("hint: ")) for each in capsys.readouterr().err.splitlines()
    )
    monkeypatch.undo()
    with pytest.raises(ImportError):
        report_overwritten(ImportError("x"))
