"""Who may read the root may read what is published in it, whatever the umask of the apply was."""

import itertools
import os
import pwd
import shutil
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.fs.access_bits import missing_bits
from tests.every_case import usually
from tests.functional.host_state import tree
from tests.host import Host, Ran, base_environment, new_host

SERVICE = 65534
ACCESS = {0o700: 0, 0o750: 0o050, 0o755: 0o055}
PYTHON = next((each for each in sorted(Path("/usr/bin").glob("python3.*[0-9]"), reverse=True)), None)
pytestmark = pytest.mark.skipif(
    os.geteuid() != 0 or PYTHON is None, reason="needs root, and an interpreter that another user may run"
)


@pytest.fixture
def service() -> Iterator[Host]:
    """A host that a service user can reach, with the environment `web`."""
    with tempfile.TemporaryDirectory(prefix="envsync-test-") as name:
        directory = Path(name).resolve()
        directory.chmod(0o755)
        with new_host(directory) as host:
            declare(host, "alpha==1.0")
            yield host


def declare(host: Host, *packages: str) -> None:
    host.manifest(f'web:\n  python: "{PYTHON}"\n  packages: [{", ".join(packages)}]\n  compile_bytecode: true\n')


def envsync(host: Host, *arguments: str, umask: int = 0o022, user: int = 0, group: int = 0) -> Ran:
    """Run the command with a umask, as a user; a different user gets an interpreter that everyone may run."""
    if user == 0 and group == 0:
        before = os.umask(umask)
        try:
            return host.envsync(*arguments)
        finally:
            os.umask(before)
    env = base_environment()
    del env["XDG_STATE_HOME"]  # that of the user who runs the tests
    if PYTHON is None or PYTHON.name != f"python{sys.version_info.major}.{sys.version_info.minor}":
        pytest.skip(f"the packages of these tests are not for {PYTHON}")
    packages = [each for each in sys.path if "site-packages" in each]
    env["PYTHONPATH"] = os.pathsep.join([env["PYTHONPATH"], *packages])
    done = subprocess.run(
        [PYTHON, "-m", "reconciler", *arguments],
        cwd=host.directory,
        env=env,
        capture_output=True,
        text=True,
        check=False,
        umask=umask,
        user=user,
        group=group,
        extra_groups=[],
    )
    assert "\nTraceback" not in "\n" + done.stderr, done.stderr
    return Ran(code=done.returncode, out=done.stdout, err=done.stderr)


def imports(host: Host, module: str, *, user: int = SERVICE, group: int = SERVICE) -> bool:
    """Return whether a service user can start the published interpreter and import a module."""
    try:
        done = subprocess.run(
            [host.root / "web/bin/python", "-c", f"import {module}"],
            cwd="/",
            capture_output=True,
            check=False,
            user=user,
            group=group,
            extra_groups=[],
        )
    except PermissionError:
        return False
    return done.returncode == 0


def imports_for(host: Host, module: str) -> dict[int, bool]:
    """Return whether a member of the root's group, and anybody else, can import a module."""
    return {0o050: imports(host, module, group=0), 0o005: imports(host, module)}


def closed(host: Host, access: int, *, below: str = ".envsync/generations") -> list[str]:
    """Return the files and directories that lack the access, or that others may write."""
    found = []
    for directory, names, files in os.walk(host.root / below):
        for path in (Path(directory), *(Path(directory, each) for each in (*names, *files))):
            mode = path.lstat().st_mode
            writable = mode & 0o022 and not stat.S_ISLNK(mode) and path.name != ".lock"  # uv's own, for every user
            if missing_bits(mode, access) or writable:
                found.append(f"{path.relative_to(host.root)} {mode:o}")
    return found


# Each umask with each root, and with each earlier run.
@pytest.mark.parametrize(
    ("umask", "root", "earlier"),
    usually(
        [
            (0o077, 0o750, "cache"),
            (0o077, 0o755, "generation"),
            (0o077, 0o700, "none"),
            (0o002, 0o755, "cache"),
            (0o002, 0o750, "generation"),
            (0o002, 0o700, "none"),
        ],
        list(itertools.product([0o002, 0o077], ACCESS, ["none", "cache", "generation"])),
    ),
    ids=lambda each: each if isinstance(each, str) else f"{each:03o}",
)
def test_a_user_who_may_enter_the_root_may_read_what_is_published(
    service: Host, umask: int, root: int, earlier: str
) -> None:
    """Also what an earlier run with a narrow umask left in the cache and in the generation before."""
    access = ACCESS[root]
    service.root.mkdir(mode=0o700)
    if earlier != "none":
        assert envsync(service, "apply", "--yes", umask=0o077).code == 0
        assert not imports(service, "alpha")
        if earlier == "cache":
            assert envsync(service, "destroy", "web", "--yes", umask=0o077).code == 0
        declare(service, "alpha==1.0", "gamma")
    service.root.chmod(root)
    ran = envsync(service, "apply", "--yes", umask=umask)
    assert ran.code == 0, ran.err
    assert imports_for(service, "alpha, beta") == {0o050: bool(access & 0o050), 0o005: bool(access & 0o005)}
    number = service.venv("web").readlink().parts[-2]
    assert closed(service, access, below=f".envsync/generations/web/{number}") == []
    assert closed(service, access, below=".envsync/environments") == []
    check = envsync(service, "check", umask=umask)
    assert check.code == 0, check.out
    ran = envsync(service, "run", "web", "--", "python", "-c", "import alpha", user=SERVICE, group=SERVICE)
    assert ran.code == (0 if access & 0o005 else 125)
    if not access & 0o005:
        assert "Permission denied" in ran.err


@pytest.mark.parametrize("earlier", [False, True])
def test_the_group_of_the_root_may_read_although_it_is_not_the_group_of_the_apply(service: Host, earlier: bool) -> None:
    """Also what an earlier run left in the cache with a different group."""
    if earlier:
        assert envsync(service, "apply", "--yes", umask=0o027).code == 0
        declare(service, "alpha==1.0", "gamma")
    service.root.mkdir(exist_ok=True)
    os.chown(service.root, 0, 12345)
    service.root.chmod(0o750)
    assert envsync(service, "apply", "--yes", umask=0o077).code == 0
    assert imports(service, "alpha, beta", group=12345)
    assert not imports(service, "alpha")
    assert envsync(service, "run", "web", "--", "python", "-c", "import alpha", user=SERVICE, group=12345).code == 0
    assert envsync(service, "check").code == 0


@pytest.mark.parametrize("umask", [0o022, 0o077])
def test_a_new_root_has_the_umask_of_its_first_apply(service: Host, umask: int) -> None:
    assert envsync(service, "apply", "--yes", umask=umask).code == 0
    assert stat.S_IMODE(service.root.stat().st_mode) == 0o777 & ~umask
    assert imports(service, "alpha") == (umask == 0o022)
    assert envsync(service, "check", umask=0o077).code == 0


def test_an_environment_that_the_root_s_readers_cannot_read_is_drift_and_is_repaired(service: Host) -> None:
    """For instance a root that was opened later, or one of an earlier envsync."""
    assert envsync(service, "apply", "--yes", umask=0o077).code == 0
    assert envsync(service, "check").out.startswith("No drift")
    service.root.chmod(0o755)
    for command in (["check"], ["check", "--depth", "hashes"], ["verify"]):
        ran = envsync(service, *command)
        assert ran.code == 2, command
        assert "users who may read the root cannot read all of it" in ran.out
    assert envsync(service, "apply", "--yes").code == 0
    assert imports(service, "alpha")
    assert envsync(service, "check").code == 0
    assert envsync(service, "verify").code == 0


MODULES = "lib/python3*/site-packages"
CLOSED = (f"{MODULES}/beta.py", MODULES, "bin", "bin/activate", "")


@pytest.mark.parametrize(
    ("depth", "narrowed"),
    usually(
        [("files", f"{MODULES}/beta.py"), ("hashes", "bin"), ("files", "")],
        list(itertools.product(["files", "hashes"], CLOSED)),
    ),
)
def test_a_file_that_was_closed_is_drift(service: Host, narrowed: str, depth: str) -> None:
    assert envsync(service, "apply", "--yes").code == 0
    assert envsync(service, "check").code == 0
    venv = service.venv("web").resolve()
    path = next(venv.glob(narrowed)) if narrowed else venv
    path.chmod(path.stat().st_mode & 0o700)
    ran = envsync(service, "check", "--depth", depth, "--output", "json")
    found = [each for each in ran.json()["environments"][0]["findings"] if each["code"] == "access-narrowed"]
    assert [each["path"] for each in found] == ["" if path == venv else str(path.relative_to(venv))]
    assert ran.code == 2
    assert envsync(service, "apply", "--yes", umask=0o077).code == 0
    assert envsync(service, "check").code == 0
    assert imports(service, "alpha, beta")


def test_a_directory_of_the_state_that_was_closed_is_found_and_opened(service: Host) -> None:
    assert envsync(service, "apply", "--yes").code == 0
    for narrowed in ("", "generations", "generations/web", "generations/web/{number}", "environments"):
        number = service.venv("web").readlink().parts[-2]
        (service.root / ".envsync" / narrowed.format(number=number)).chmod(0o700)
        found = service.environment("web")["findings"]
        assert [each["code"] for each in found] == ["access-narrowed"], narrowed
        assert envsync(service, "apply", "--yes", umask=0o077).code == 0
        assert service.envsync("check").code == 0, narrowed
        assert imports(service, "alpha"), narrowed


def test_a_wider_mode_is_not_drift_and_a_private_root_needs_no_mode(service: Host) -> None:
    assert envsync(service, "apply", "--yes").code == 0
    beta = service.site_packages("web") / "beta.py"
    beta.chmod(0o600)
    service.root.chmod(0o700)
    assert envsync(service, "check").code == 0, "no other user may enter the root"
    beta.chmod(0o644)
    assert envsync(service, "check").code == 0


def test_a_rollback_opens_the_generation_that_it_publishes(service: Host) -> None:
    assert envsync(service, "apply", "--yes", umask=0o077).code == 0
    declare(service, "alpha==1.1")
    service.root.chmod(0o755)
    assert envsync(service, "apply", "--yes").code == 0
    ran = envsync(service, "rollback", "web", umask=0o077)
    assert ran.code == 0, ran.err
    assert imports(service, "alpha")
    assert envsync(service, "verify").code == 0


def test_files_of_the_user_keep_the_umask_of_the_user(service: Host) -> None:
    """Locks, and what hooks and probes write."""
    text = (service.directory / "envs.yaml").read_text()
    hook = "hooks: {after_publish: [[sh, -c, 'umask > $HOME/hook']]}"
    probe = "probes: [{run: [sh, -c, 'umask > $HOME/probe']}]"
    (service.directory / "envs.yaml").write_text(f"{text}    {hook}\n    {probe}\n")
    service.root.mkdir()
    service.root.chmod(0o755)
    home = service.directory / "home"
    home.mkdir()
    environment = base_environment() | {"HOME": str(home)}
    done = subprocess.run(
        [sys.executable, "-m", "reconciler", "apply", "--yes"],
        cwd=service.directory, env=environment, capture_output=True, text=True, check=False, umask=0o077,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert {(home / each).read_text().strip() for each in ("hook", "probe")} == {"0077"}
    assert stat.S_IMODE((service.directory / "locks").stat().st_mode) == 0o700
    assert stat.S_IMODE((service.directory / "locks/pylock.web.toml").stat().st_mode) == 0o600
    assert imports(service, "alpha")


def test_caches_are_as_readable_as_the_root_and_unreadable_ones_do_no_harm(service: Host) -> None:
    assert envsync(service, "apply", "--yes").code == 0
    cache = service.root / ".envsync/cache"
    for path in (*cache.glob("agreed/*"), *cache.glob("manifest-*"), cache / "inodes"):
        path.unlink(missing_ok=True)
    (cache / "agreed").rmdir()
    assert envsync(service, "check", umask=0o077).code == 0
    written = [cache / "agreed", *cache.glob("agreed/*"), *cache.glob("manifest-*")]
    assert len(written) >= 4
    assert [
        f"{each.name} {each.stat().st_mode:o}" for each in written if missing_bits(each.stat().st_mode, 0o055)
    ] == []
    for path in written:
        path.chmod(path.stat().st_mode & 0o700)
    for command in (["check"], ["status"], ["run", "web", "--", "python", "-c", "import alpha"]):
        ran = envsync(service, *command, user=SERVICE, group=SERVICE)
        assert ran.code == 0, ran.err


WRITING = (["apply", "--yes"], ["destroy", "web", "--yes"], ["rollback", "web"], ["gc"])
READING = (
    ["check"],
    ["plan"],
    ["status"],
    ["verify"],
    ["observe"],
    ["freeze", "web"],
    ["history"],
    ["gc", "--dry-run"],
)


@pytest.mark.parametrize("group_writable", [False, True])
def test_a_root_of_another_user_is_refused_before_anything_changes(service: Host, group_writable: bool) -> None:
    """Also by root, who could write, and in a root that its group may write."""
    assert envsync(service, "apply", "--yes").code == 0
    declare(service, "alpha==1.1")
    assert envsync(service, "lock").code == 0
    for path in (service.root, *service.root.rglob("*")):
        os.chown(path, SERVICE, SERVICE, follow_symlinks=False)
        if group_writable and not path.is_symlink():
            path.chmod(path.stat().st_mode | 0o020)
    owner = pwd.getpwuid(SERVICE).pw_name
    before = tree(service.directory)
    for command in WRITING:
        for user, group, name in ((0, 0, "root"), (12345, SERVICE, "#12345")):
            ran = envsync(service, *command, user=user, group=group)
            assert ran.code == 1, (command, ran.err)
            assert f"`{service.root}` belongs to {owner}, and you are {name}" in ran.err
            assert f"sudo -u {owner} envsync" in ran.err
            assert "run `envsync trust` once" in ran.err
    assert envsync(service, "apply", "--yes", "--output", "json").json()["error"]["code"] == "root-owner"
    after = tree(service.directory)
    changed = {each for each in before.keys() | after.keys() if before.get(each) != after.get(each)}
    assert {each for each in changed if str(each).startswith(".envs/")} == set()


def test_a_trusted_root_of_another_user_is_read_and_nothing_is_written_there(
    service: Host, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before `envsync trust`, it is not even read."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))  # where this test's trust is remembered
    owner = pwd.getpwuid(SERVICE).pw_name
    assert envsync(service, "apply", "--yes").code == 0
    for path in (service.root, *service.root.rglob("*")):
        os.chown(path, SERVICE, SERVICE, follow_symlinks=False)
    for path in (service.root / ".envsync/cache").iterdir():
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    for command in READING:
        ran = envsync(service, *command)
        assert (ran.code, f"belongs to {owner}, and you are root" in ran.err) == (1, True), (command, ran.err)
    assert envsync(service, "trust", "--yes").code == 0
    for command in WRITING:
        ran = envsync(service, *command)
        assert (ran.code, f"chown -R root {service.root}" in ran.err) == (1, True), (command, ran.err)
    for command in (*READING, ["lock", "--upgrade"]):
        ran = envsync(service, *command)
        assert ran.code == 0, (command, ran.err)
        foreign = [str(each) for each in service.root.rglob("*") if each.lstat().st_uid != SERVICE]
        assert foreign == [], command
