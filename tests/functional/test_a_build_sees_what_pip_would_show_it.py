"""A local project is built with what pip would show it: git, its neighbors, and the variables that are declared.

That a project with other dependencies than its lock is never published is in tests/hints/test_apply.py.
"""

from pathlib import Path

from tests.functional.host_state import tree
from tests.functional.projects import write_project
from tests.functional.test_local_projects_are_installed_from_their_sources import git
from tests.host import Host
from tests.wheels import make_wheel

# What a backend with a `setup.py` may do: ask git, look next to the project, and read files and variables.
_CURIOUS = """
import subprocess
described = subprocess.run(["git", "describe", "--tags", "--dirty"], capture_output=True, text=True).stdout.strip()
VERSION = described.lstrip("v").replace("-dirty", "+dirty").replace("-", ".post", 1).replace("-", "+") or "0"
INFO = NAME + "-" + VERSION + ".dist-info"
PROJECT["dependencies"] = (HERE / "../shared/requirements.in").read_text().split()
"""


def write_curious_project(directory: Path) -> Path:
    """Write a project whose version comes from git, and its dependencies from `../shared/requirements.in`."""
    module = write_project(directory / "own", "own")
    backend = directory / "own" / "backend.py"
    text = backend.read_text()
    backend.write_text(text.replace("\n\ndef metadata():", _CURIOUS + "\n\ndef metadata():", 1))
    project = directory / "own" / "pyproject.toml"
    dynamic = 'dynamic = ["version", "dependencies"]\n[tool.own]\nreads = "../shared/requirements.in"\n'
    project.write_text(project.read_text().replace('version = "1.0"\ndependencies = []\n', dynamic))
    backend.write_text(backend.read_text().replace('PROJECT["version"]', '"0"'))
    (directory / "shared").mkdir()
    (directory / "shared" / "requirements.in").write_text("beta\n")
    return module


def metadata(host: Host, name: str) -> str:
    (found,) = host.site_packages(name).glob("own-*.dist-info")
    return (found / "METADATA").read_text()


def test_version_and_dependencies_come_from_git_and_from_neighbors_editable_or_not(host: Host) -> None:
    write_curious_project(host.directory)
    host.manifest(
        'dev:\n  python: "3.11"\n  project: {path: own, editable: true}\n'
        'prod:\n  python: "3.11"\n  project: {path: own}\n'
    )
    (host.directory / ".gitignore").write_text("/.envs\n/locks\n/own/build\n/own/*.egg-info\n/wheels\n")
    git(host.directory, "init", "-q")
    git(host.directory, "add", "-A")
    git(host.directory, "commit", "-qm", "one")
    git(host.directory, "tag", "v1.2")
    before = tree(host.directory / "own")
    host.apply()
    for name in ("dev", "prod"):
        assert "beta==2.0" in host.freeze(name)
        assert "Version: 1.2\n" in metadata(host, name)
        assert "/envsync-" not in metadata(host, name)
    assert f"own @ file://{host.directory / 'own'}" in host.freeze("prod"), "as pip would name it"
    assert git(host.directory, "status", "--short") == ""
    left = {path for path in tree(host.directory / "own") if path not in before}
    assert all(str(path).startswith("build") for path in left), left

    git(host.directory, "commit", "-q", "--allow-empty", "-m", "two")
    git(host.directory, "tag", "v1.3")
    changed = {each["name"]: each["reasons"][0]["code"] for each in host.check()["environments"]}
    assert changed == {"dev": "source-changed", "prod": "source-changed"}
    assert host.envsync("lock", "--check").code == 0, "a commit or a tag changes no dependency"
    host.apply()
    assert "Version: 1.3\n" in metadata(host, "dev")
    assert "Version: 1.3\n" in metadata(host, "prod")

    (host.directory / "shared" / "requirements.in").write_text("beta\ngamma\n")
    git(host.directory, "commit", "-qam", "two")
    assert host.envsync("lock", "--check").code == 2
    host.apply()
    for name in ("dev", "prod"):
        assert "gamma==0.1" in host.freeze(name)
        assert "Requires-Dist: gamma\n" in metadata(host, name), "also that of an editable install is made again"


def test_declared_variables_reach_a_build_and_those_of_the_shell_are_recorded_as_hashes(host: Host) -> None:
    project = host.directory / "own"
    write_project(project, "own")
    backend = project / "backend.py"
    flags = '"FLAGS = %r, %r, %r" % tuple(map(os.environ.get, ["FLAGS", "KEY", "OTHER"]))'
    writes = f'    files = dict([*files.items(), ("own.py", ({flags}).encode())])\n'
    backend.write_text(backend.read_text().replace("    files = dict(files)\n", writes))
    manifest = 'web:\n  python: "3.11"\n  project: {path: own}\n  build_env: {FLAGS: "%s", from_env: [KEY]}\n'
    host.manifest(manifest % "-O1")
    ran = host.envsync("apply", "--yes")
    assert ran.code == 4
    assert "x web blocked: `KEY` is not set in the shell (envs.yaml:10:42)" in ran.out
    assert "hint: set it: `export KEY=VALUE`, or remove it from `from_env`" in ran.out
    assert host.envsync("lock").code == 1

    host.env = {"KEY": "s3cret-value", "OTHER": "x"}
    host.apply()

    def installed() -> str:
        return (host.site_packages("web") / "own.py").read_text()

    assert installed() == "FLAGS = '-O1', 's3cret-value', None", "nothing else of the shell reaches a build"
    host.manifest(manifest % "-O2")
    web = host.environment("web")
    assert {each["code"] for each in web["reasons"]} == {"lock-stale", "settings-changed"}
    host.apply()
    assert installed() == "FLAGS = '-O2', 's3cret-value', None"
    host.env["KEY"] = "other-value"
    assert host.envsync("check").code == 2
    shown = host.envsync("apply", "--yes", "--output", "json")
    assert shown.code == 0
    assert installed() == "FLAGS = '-O2', 'other-value', None"
    assert "other-value" not in shown.out + shown.err
    places = [*(host.directory / "locks").iterdir(), *host.root.rglob("*.json"), *host.root.rglob("*.toml")]
    assert len(places) > 5
    for path in places:
        assert b"other-value" not in path.read_bytes(), path


def test_a_local_wheel_that_was_built_again_makes_the_lock_out_of_date(host: Host) -> None:
    wheels = host.directory / "w"
    wheels.mkdir()
    make_wheel(wheels, "local", "1.0", modules={"local.py": "X = 1\n"})
    (host.directory / "r.txt").write_text("./w/local-1.0-py3-none-any.whl\n")
    host.manifest('web:\n  python: "3.11"\n  requirements: [r.txt]\n')
    host.apply()
    assert host.envsync("check").code == 0, "the fast path"
    make_wheel(wheels, "local", "1.0", modules={"local.py": "X = 2\n"}, requires=["gamma"])
    assert host.envsync("check").code == 2
    assert host.envsync("lock", "--check").code == 2
    host.apply()
    assert (host.site_packages("web") / "local.py").read_text() == "X = 2\n"
    assert "gamma==0.1" in host.freeze("web")
