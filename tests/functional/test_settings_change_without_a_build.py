"""Changes of settings build nothing; and what may be deleted: protection, destroy, other projects."""

import pytest

from tests.functional.host_state import generations, planned, published, steps
from tests.host import Host

WEB = 'web:\n  python: "3.11"\n  packages: [alpha==1.0]\n'
OTHER = 'other:\n  python: "3.11"\n'


@pytest.fixture
def web(host: Host) -> Host:
    host.manifest(WEB)
    assert host.envsync("apply", "--yes").code == 0
    return host


def blocks(host: Host, name: str, *arguments: str) -> set[str]:
    return {each["code"] for each in planned(host, *arguments)[name]["blocked"]}


def test_settings_are_recorded_and_run_sees_the_new_env(web: Host) -> None:
    web.manifest(
        WEB
        + "  env: {COLOR: green}\n  labels: {team: a}\n  description: new words\n  keep_generations: 5\n"
        + "  ignore: ['zzz-*']\n  ignore_files: [share/x]\n  prevent_destroy: true\n  depends_on: [other]\n"
        + OTHER
    )
    found = planned(web)["web"]
    assert [each["kind"] for each in found["steps"]] == ["record"]
    assert {each["path"][0] for each in found["settings"]} == {
        "description", "depends_on", "env", "ignore", "ignore_files", "keep_generations", "labels", "prevent_destroy",
    }  # fmt: skip
    assert found["packages"] == []
    web.apply()
    assert published(web, "web") == 1
    assert generations(web, "web") == [1]
    script = "import os; print(os.environ['COLOR'])"
    assert web.envsync("run", "web", "--", "python", "-c", script).out == "green\n"


def test_link_mode_and_compile_bytecode_take_effect_at_the_next_build(web: Host) -> None:
    web.manifest(WEB + "  link_mode: copy\n  compile_bytecode: true\n")
    assert planned(web)["web"]["action"] == "no-op"
    web.manifest(WEB.replace("1.0", "1.1") + "  link_mode: copy\n  compile_bytecode: true\n")
    web.apply()
    module = web.site_packages("web") / "alpha/__init__.py"
    assert module.stat().st_nlink == 1
    assert list((module.parent / "__pycache__").glob("*.pyc"))
    assert web.envsync("run", "web", "--", "python", "-c", "import alpha, beta").code == 0
    for depth in ("metadata", "files", "hashes"):
        assert web.envsync("check", "--depth", depth).code == 0, depth


def test_prevent_destroy_blocks_deletes_until_it_is_removed(web: Host) -> None:
    web.manifest(WEB + "  prevent_destroy: true\n" + OTHER)
    web.apply()
    web.manifest(OTHER)
    ran = web.envsync("apply", "--yes")
    assert ran.code == 4
    assert "prevent_destroy: false" in ran.out + ran.err
    assert published(web, "web") == 1

    web.manifest(WEB + "  prevent_destroy: true\n" + OTHER)
    ran = web.envsync("destroy", "web", "--yes")
    assert ran.code == 4
    assert published(web, "web") == 1
    web.manifest(WEB.replace("1.0", "1.1") + "  prevent_destroy: true\n" + OTHER)
    web.apply()  # an update is not a delete

    web.manifest(WEB.replace("1.0", "1.1") + "  prevent_destroy: false\n" + OTHER)
    assert steps(web, "web") == ["record"]
    web.apply()
    web.manifest(OTHER)
    web.apply()
    assert published(web, "web") == 0


def test_destroy_deletes_only_the_named_environment_and_the_next_apply_creates_it(web: Host) -> None:
    web.manifest(WEB + OTHER)
    assert web.envsync("apply", "--yes").code == 0
    ran = web.envsync("destroy", "web", "--yes")
    assert ran.code == 0
    assert (published(web, "web"), published(web, "other")) == (0, 1)
    assert generations(web, "web") == [1], "it can be restored"
    assert web.envsync("destroy", "web", "--yes").code == 3
    assert web.envsync("run", "web", "--", "true").code == 125
    assert planned(web)["web"]["action"] == "create"


def test_an_empty_manifest_deletes_nothing_without_allow_empty(web: Host) -> None:
    web.manifest("")
    assert blocks(web, "web") == {"empty-manifest"}
    assert web.envsync("apply", "--yes").code == 4
    assert published(web, "web") == 1
    web.apply("--allow-empty")
    assert published(web, "web") == 0


def test_the_environments_of_another_project_in_the_same_root_are_not_changed(web: Host) -> None:
    theirs = Host(directory=web.directory.parent / "theirs", index=web.index)
    theirs.directory.mkdir()
    text = (web.directory / "envs.yaml").read_text().replace("project: acme", f"project: globex\nroot: {web.root}")
    (theirs.directory / "envs.yaml").write_text(text.replace("  web:", "  mine:"))
    theirs.apply()
    assert (published(web, "web"), published(web, "mine")) == (1, 1)
    assert "web" not in planned(theirs)

    (theirs.directory / "envs.yaml").write_text(text.replace("alpha==1.0", "alpha==1.1"))
    assert blocks(theirs, "web") == {"other-project"}
    assert theirs.envsync("destroy", "web", "--yes").code == 4
    assert theirs.envsync("apply", "--yes", "--adopt", "web").code == 4
    assert published(web, "web") == 1
    assert web.envsync("check").code == 0, "the environments of the second project are not drift for the first"
