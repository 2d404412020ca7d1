"""A local project, editable or not: what counts as a change of it, and that its directory is not changed."""

import subprocess
from pathlib import Path

from tests.functional.host_state import planned, published, tree
from tests.functional.projects import write_project
from tests.host import Host, base_environment

WEB = 'web:\n  python: "3.11"\n  project: {path: own, editable: %s}\n'  # %s: true or false
MORE = '[project.optional-dependencies]\nfast = ["gamma"]\n[dependency-groups]\ndev = ["alpha==1.0"]\n'


def git(directory: Path, *arguments: str) -> str:
    command = ["git", "-c", "user.name=t", "-c", "user.email=t@t.example", "-c", "init.defaultBranch=main", *arguments]
    env = base_environment() | {"GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_SYSTEM": "/dev/null"}
    done = subprocess.run(command, cwd=directory, env=env, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def word(host: Host) -> str:
    return host.envsync("run", "web", "--", "python", "-c", "import own; print(own.WORD)").out.strip()


def package(host: Host, name: str) -> tuple[str, str]:
    changes = {each["name"]: each for each in planned(host)["web"]["packages"]}
    return changes[name]["action"], changes[name]["reason"]


def test_a_project_is_built_from_a_copy_and_a_changed_source_is_an_update(host: Host) -> None:
    project = host.directory / "own"
    module = write_project(project, "own", dependencies='["beta"]')
    before = tree(project)
    host.manifest(WEB % "false")
    assert host.envsync("lock").code == 0
    host.apply()
    assert tree(project) == before, "nothing is written into the project"
    assert word(host) == "first"
    assert host.freeze("web")[0] == "beta==2.0"

    module.write_text("WORD = 'second'\n")
    assert package(host, "own") == ("change", "source-changed")
    host.apply()
    assert word(host) == "second"
    (project / "src" / "__pycache__").mkdir()
    (project / "src" / "__pycache__" / "own.cpython-311.pyc").write_bytes(b"x")
    (project / "build").mkdir()
    (project / "build" / "junk").write_text("x")
    assert host.envsync("check").code == 0, "build leftovers are not sources"


def test_an_editable_project_uses_its_sources_and_changed_metadata_is_an_update(host: Host) -> None:
    project = host.directory / "own"
    module = write_project(project, "own", dependencies='["beta"]', more=MORE)
    host.manifest(WEB % "true, extras: [fast], groups: [dev]")
    host.apply()
    assert {"alpha==1.0", "beta==2.0", "gamma==0.1"} < set(host.freeze("web"))
    module.write_text("WORD = 'second'\n")
    assert host.envsync("check").code == 0
    assert word(host) == "second"

    write_project(project, "own", dependencies='["beta"]', more=MORE, version="1.1", word="third")
    assert package(host, "own")[0] == "upgrade"
    host.apply()
    assert published(host, "web") == 2


def test_in_a_repository_untracked_and_ignored_files_are_sources(host: Host) -> None:
    project = host.directory / "own"
    module = write_project(project, "own")
    (host.directory / ".gitignore").write_text("generated.py\n")
    git(host.directory, "init", "-q")
    git(host.directory, "add", "own", ".gitignore")
    git(host.directory, "commit", "-qm", "one")
    (project / "src" / "generated.py").write_text("X = 1\n")
    host.manifest(WEB % "false")
    host.apply()
    assert (host.site_packages("web") / "generated.py").exists()
    (project / "src" / "generated.py").write_text("X = 2\n")
    (project / "src" / "added.py").write_text("")
    module.write_text("WORD = 'not committed'\n")
    assert package(host, "own") == ("change", "source-changed")
    before = git(host.directory, "status", "--short")
    host.apply()
    assert word(host) == "not committed"
    assert (host.site_packages("web") / "generated.py").read_text() == "X = 2\n"
    assert (host.site_packages("web") / "added.py").exists()
    assert git(host.directory, "status", "--short") == before, "nothing is left in the repository"
    assert ".envs" not in before, "the root has its own .gitignore"


def test_a_project_in_the_directory_of_the_manifest_with_the_root_inside_it(host: Host) -> None:
    write_project(host.directory, "own")
    host.manifest('web:\n  python: "3.11"\n  project: {path: .}\n')
    host.apply()
    assert word(host) == "first"
    assert not (host.directory / "build").exists()
