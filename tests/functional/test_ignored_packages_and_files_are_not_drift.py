"""`ignore` and `ignore_files`: packages and files of other tools are not drift; bytecode never is."""

import subprocess

import pytest

from tests.functional.host_state import planned, published
from tests.functional.test_check_finds_and_apply_puts_right import uv
from tests.host import Host
from tests.wheels import make_wheel

WEB = (
    'web:\n  python: "3.11"\n  packages: [alpha==1.0]\n  ignore: ["agent*"]\n  ignore_files: ["share/**", "**/*.log"]\n'
)


@pytest.fixture
def web(host: Host) -> Host:
    make_wheel(host.index.directory, "agent-core", "1.0")
    make_wheel(host.index.directory, "other", "1.0")
    host.manifest(WEB)
    assert host.envsync("apply", "--yes").code == 0
    return host


def test_ignored_packages_are_not_drift_and_a_rebuild_that_would_lose_them_is_blocked(web: Host) -> None:
    uv(web, "install", "--default-index", web.index.url, "agent-core")
    assert web.environment("web")["action"] == "no-op"
    assert web.environment("web", "--depth", "hashes")["action"] == "no-op"
    uv(web, "install", "--default-index", web.index.url, "other")
    assert web.environment("web")["action"] == "update"
    uv(web, "uninstall", "other")
    assert web.environment("web")["action"] == "no-op"

    web.manifest(WEB.replace("1.0", "1.1"))
    assert {each["code"] for each in planned(web)["web"]["blocked"]} == {"ignored-would-be-lost"}
    ran = web.envsync("apply", "--yes")
    assert ran.code == 4
    assert "--drop-ignored" in ran.out + ran.err
    assert published(web, "web") == 1
    web.apply("--drop-ignored")
    assert web.freeze("web") == ["alpha==1.1", "beta==2.0"]


def test_ignored_files_and_bytecode_are_not_drift(web: Host) -> None:
    venv = web.venv("web")
    (venv / "share").mkdir(exist_ok=True)
    (venv / "share" / "kernel.json").write_text("{}")
    (web.site_packages("web") / "run.log").write_text("x")
    done = subprocess.run(
        [venv / "bin" / "python", "-c", "import alpha, beta, sys; assert not sys.dont_write_bytecode"],
        env={},
        check=True,
    )
    assert done.returncode == 0
    assert list((web.site_packages("web") / "alpha/__pycache__").glob("*.pyc"))
    for depth in ("metadata", "files", "hashes"):
        assert web.envsync("check", "--depth", depth).code == 0, depth
    (venv / "note.txt").write_text("mine")
    assert web.envsync("check").code == 2
