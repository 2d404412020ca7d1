"""Planning starts only interpreters that the search finds or the manifest names: ways to smuggle in another program.

Each way is set up with a program that would answer like an interpreter of the wanted version, and that leaves a mark
when it starts. Then every command that reads runs: no mark, a documented exit code, and a message that says why.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.every_case import usually
from tests.host import Host, base_environment, new_host
from tests.interpreters.fakes import fake_interpreter, times_started
from tests.state.edited import stored_in, write_stored

WANTED = "3.50"  # no real interpreter satisfies it
SOME_USER = 65534
# With an environment that is blocked because its interpreter must not be started, or that was not applied yet.
CODES = {"plan": 0, "check": 2, "status": 0, "lock": 1, "observe": 0, "verify": 0, "run web true": 125}
INVALID = dict.fromkeys(CODES, 3) | {"run web true": 125}


@dataclass
class Scene:
    """A machine: a repository with a manifest in its directory `deploy`, and a place for anything else."""

    top: Path
    host: Host
    env: dict[str, str] = field(default_factory=lambda: {"PYENV_ROOT": "/nowhere"})  # with fewer real interpreters
    python: str = WANTED
    head: str = ""
    programs: list[Path] = field(default_factory=list)

    @property
    def repository(self) -> Path:
        return self.top / "repo"

    def program(self, directory: str | Path, name: str = f"python{WANTED}", version: str = f"{WANTED}.1") -> Path:
        made = fake_interpreter(self.top / directory, name, version)
        self.programs.append(made)
        return made

    def link(self, path: str, target: Path | str) -> Path:
        made = self.top / path
        made.parent.mkdir(parents=True, exist_ok=True)
        made.symlink_to(target)
        return made

    def on_path(self, entry: Path | str) -> None:
        self.env["PATH"] = f"{entry}:{base_environment()['PATH']}"

    def manifest(self) -> None:
        self.host.manifest(f'web:\n  python: "{self.python}"\n', head=self.head)

    def applied(self) -> Path:
        """Apply with an interpreter that only PATH names, put a program in its place, and return the state.

        PATH names it no more, as in cron or after a forged record.
        """
        real = copied_interpreter(self.top / "elsewhere")
        self.python = real.name.removeprefix("python")
        self.manifest()
        ran = self.host.envsync("apply", "--yes", env={"PATH": f"{real.parent}:/nowhere"})
        assert ran.code == 0, ran.err
        real.unlink()
        self.program("elsewhere/bin", real.name, f"{self.python}.99")
        return self.host.root / ".envsync"

    def forge_facts(self, file: Path, version: str) -> None:
        """Make the cache say that the program is an interpreter of this version, with its real signature.

        The file gets a valid code: what a cache says starts nothing, even if its code could be forged.
        """
        [program] = self.programs
        status = program.stat()
        signature = [status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns]
        stored = stored_in(file)
        known = next(iter(stored["interpreters"].values()))
        facts = known | {"signature": signature + known["signature"][5:], "version": version}
        stored["interpreters"][str(program)] = facts
        write_stored(file, stored)


def git_directory(path: Path) -> None:
    for name in ("objects", "refs"):
        (path / name).mkdir(parents=True, exist_ok=True)
    (path / "HEAD").write_text("ref: refs/heads/main\n")


def copied_interpreter(directory: Path) -> Path:
    """Make an interpreter with a `site-packages` of its own: a copy of this one, whose library is links."""
    series = f"python{sys.version_info[0]}.{sys.version_info[1]}"
    base, library = Path(sys.base_prefix), directory / "lib" / series
    (directory / "bin").mkdir(parents=True)
    (library / "site-packages").mkdir(parents=True)
    shutil.copy2(os.path.realpath(sys.executable), directory / "bin" / series)
    for place, target in ((base / "lib", directory / "lib"), (base / "lib" / series, library)):
        for name in os.listdir(place):
            if not os.path.lexists(target / name):
                (target / name).symlink_to(place / name)
    return directory / "bin" / series


# Each way: a function that sets it up, and what `plan` says. If the exit codes differ from the usual ones, the function
# returns them. It is named after what it does.
Setup = Callable[[Scene], dict[str, int] | None]
WAYS: dict[str, tuple[Setup, str]] = {}


def way(says: str) -> Callable[[Setup], Setup]:
    def register(setup: Setup) -> Setup:
        WAYS[setup.__name__] = (setup, says)
        return setup

    return register


# The manifest names it


@way("is in the repository of the manifest")
def a_program_of_the_repository_above_the_manifest(scene: Scene) -> None:
    scene.python = str(scene.program("repo/tools"))


@way("is in the repository of the manifest")
def a_program_of_the_repository_through_a_link_outside(scene: Scene) -> None:
    scene.python = str(scene.link(f"bin/python{WANTED}", scene.program("repo/tools")))


@way("is in the repository of the manifest")
def a_program_elsewhere_through_a_link_of_the_repository(scene: Scene) -> None:
    hop = scene.link("repo/tools/python3", scene.program("elsewhere"))
    scene.python = str(scene.link("bin/python3", hop))


@way("is in the repository of the manifest")
def a_program_of_the_repository_through_two_dots(scene: Scene) -> None:
    scene.program("repo/tools")
    (scene.top / "bin").mkdir()
    scene.python = f"{scene.top}/bin/../repo/tools/python{WANTED}"


@way("is in the repository of the manifest")
def a_program_of_the_repository_through_proc(scene: Scene) -> None:
    scene.program("repo/tools")
    scene.python = f"/proc/self/cwd/../tools/python{WANTED}"


@way("is in the repository of the manifest")
def a_program_of_the_repository_around_a_submodule(scene: Scene) -> None:
    git_directory(scene.repository / ".git/modules/deploy")
    (scene.host.directory / ".git").write_text("gitdir: ../.git/modules/deploy\n")
    scene.python = str(scene.program("repo/tools"))


@way("is in the repository of the manifest")
def a_program_of_the_main_working_tree(scene: Scene) -> None:
    git_directory(scene.top / "main/.git")
    git_directory(scene.top / "main/.git/worktrees/repo")
    (scene.top / "main/.git/worktrees/repo/commondir").write_text("../..\n")
    shutil.rmtree(scene.repository / ".git")
    (scene.repository / ".git").write_text(f"gitdir: {scene.top}/main/.git/worktrees/repo\n")
    scene.python = str(scene.program("main/tools"))


@way("is in the repository of the manifest")
def a_program_of_the_repository_that_the_manifest_is_linked_from(scene: Scene) -> None:
    (scene.top / "etc").mkdir()
    scene.python = str(scene.program("repo/tools"))
    scene.manifest()
    (scene.top / "etc/envs.yaml").symlink_to(scene.host.directory / "envs.yaml")
    scene.host.directory = scene.top / "etc"


@way("is in the root")
def a_program_in_the_root(scene: Scene) -> None:
    scene.head = f"root: {scene.top}/root\n"
    (scene.top / "root/.envsync").mkdir(parents=True)
    scene.python = str(scene.program("root/x/bin"))


@way("is in the root")
def a_program_in_the_root_of_another_project(scene: Scene) -> None:
    (scene.top / "root/.envsync").mkdir(parents=True)
    scene.python = str(scene.program("root/x/bin"))


@way("is in the virtual environment")
def a_program_that_a_package_of_an_environment_brought(scene: Scene) -> None:
    scene.python = str(scene.program("venv/lib/python3.11/site-packages/tool/bin"))
    (scene.top / "venv/pyvenv.cfg").write_text("home = /usr/bin\n")


@way("is in the virtual environment")
def the_interpreter_of_an_environment_behind_links(scene: Scene) -> None:
    program = scene.program("venv/bin")
    (scene.top / "venv/pyvenv.cfg").write_text("home = /usr/bin\n")
    scene.python = str(scene.link("a/python3", scene.link("b/python3", program)))


@way("not the path of an interpreter: no interpreter is called `deploy-tool`")
def any_program(scene: Scene) -> dict[str, int]:
    scene.python = str(scene.program("bin", "deploy-tool"))
    return INVALID


@way("does not have the name of an interpreter")
def any_program_behind_a_link_with_the_name_of_an_interpreter(scene: Scene) -> None:
    scene.python = str(scene.link("bin/python3", scene.program("tools", "deploy-tool")))


@way("can be changed by every user")
def a_program_that_others_may_change(scene: Scene) -> None:
    program = scene.program("bin")
    program.chmod(0o757)
    scene.python = str(program)


@way("can be changed by every user")
def a_program_in_a_directory_that_others_may_change(scene: Scene) -> None:
    program = scene.program("opt/py/bin")
    (scene.top / "opt").chmod(0o777)
    scene.python = str(program)


@way("belongs to user")
def a_program_of_another_user(scene: Scene) -> None:
    program = scene.program("bin")
    os.chown(program, SOME_USER, -1)
    scene.python = str(program)


@way("belongs to user")
def a_program_in_the_home_directory_of_another_user(scene: Scene) -> None:
    program = scene.program("home/bob/bin")
    os.chown(scene.top / "home/bob", SOME_USER, -1)
    scene.python = str(program)


@way("belongs to user")
def a_link_that_another_user_made_in_a_directory_for_all(scene: Scene) -> None:
    link = scene.link("shared/python3", scene.program("elsewhere"))
    (scene.top / "shared").chmod(0o1777)
    os.chown(link, SOME_USER, -1, follow_symlinks=False)
    scene.python = str(link)


# A variable names it


@way(f"no python {WANTED}")
def a_relative_entry_of_path(scene: Scene) -> None:
    scene.program("repo/deploy/bin")
    scene.on_path("bin")


@way(f"no python {WANTED}")
def an_empty_entry_of_path(scene: Scene) -> None:
    scene.program("repo/deploy")
    scene.on_path("")


@way(f"no python {WANTED}")
def a_dot_in_path(scene: Scene) -> None:
    scene.program("repo/deploy")
    scene.on_path(".")


@way(f"no python {WANTED}")
def an_entry_of_path_in_the_repository(scene: Scene) -> None:
    scene.on_path(scene.program("repo/tools").parent)


@way(f"no python {WANTED}")
def an_entry_of_path_that_is_a_link_into_the_repository(scene: Scene) -> None:
    scene.on_path(scene.link("bin", scene.program("repo/tools").parent))


@way(f"no python {WANTED}")
def an_entry_of_path_that_others_may_write_to(scene: Scene) -> None:
    directory = scene.program("shared").parent
    directory.chmod(0o777)
    scene.on_path(directory)


@way(f"no python {WANTED}")
def an_entry_of_path_for_temporary_files(scene: Scene) -> None:
    directory = scene.program("tmp").parent
    directory.chmod(0o1777)
    scene.on_path(directory)


@way(f"no python {WANTED}: ")
def an_entry_of_path_below_what_others_may_write_to(scene: Scene) -> None:
    scene.on_path(scene.program("opt/py/bin").parent)
    (scene.top / "opt").chmod(0o777)


@way(f"no python {WANTED}")
def an_activated_environment(scene: Scene) -> None:
    program = scene.program("venv/bin")
    (scene.top / "venv/pyvenv.cfg").write_text("home = /usr/bin\n")
    scene.on_path(program.parent)
    scene.env["VIRTUAL_ENV"] = str(scene.top / "venv")


@way(f"no python {WANTED}")
def versions_of_pyenv_in_the_repository(scene: Scene) -> None:
    scene.program(f"repo/pyenv/versions/{WANTED}.1/bin")
    scene.env["PYENV_ROOT"] = str(scene.repository / "pyenv")


@way(f"no python {WANTED}")
def versions_of_uv_in_a_relative_directory(scene: Scene) -> None:
    scene.program("repo/deploy/uv/x/bin")
    scene.env["UV_PYTHON_INSTALL_DIR"] = "uv"


@way(f"no python {WANTED}")
def a_variable_of_uv(scene: Scene) -> None:
    scene.env["UV_PYTHON"] = str(scene.program("elsewhere"))


# Only a record or a cache names it


@way("only the record of the environment names it")
def a_record(scene: Scene) -> dict[str, int]:
    scene.applied()
    (scene.host.directory / "locks/pylock.web.toml").unlink()  # so that `lock` needs an interpreter
    return CODES | {"run web true": 0}


@way("only the record of the environment names it")
def record_and_cache_with_the_right_signature(scene: Scene) -> dict[str, int]:
    state = scene.applied()
    scene.forge_facts(state / "cache/interpreters.json", f"{scene.python}.99")
    return CODES | {"lock": 0, "run web true": 0}


@way(f"no python {WANTED}")
def a_cache_alone(scene: Scene) -> dict[str, int]:
    state = scene.applied()
    scene.forge_facts(state / "cache/interpreters.json", f"{WANTED}.1")
    scene.python = WANTED
    return CODES | {"run web true": 0}


@way("only the record of the environment names it")
def the_configuration_of_an_environment(scene: Scene) -> dict[str, int]:
    state = scene.applied()
    home = scene.programs[0].parent
    (state / "generations/web/1/venv/pyvenv.cfg").write_text(f"home = {home}\nexecutable = {scene.programs[0]}\n")
    return CODES | {"lock": 0, "verify": 2, "run web true": 0}


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    with new_host(tmp_path_factory.mktemp("index")) as host:
        yield host


@pytest.fixture
def scene(shared: Host, tmp_path: Path) -> Scene:
    made = Scene(top=tmp_path.resolve(), host=Host(directory=tmp_path.resolve() / "repo/deploy", index=shared.index))
    made.host.directory.mkdir(parents=True)
    git_directory(made.repository / ".git")
    return made


@pytest.mark.parametrize("name", WAYS)
def test_no_smuggled_program_is_started(name: str, scene: Scene) -> None:
    setup, says = WAYS[name]
    if "user" in name and os.geteuid() != 0 and "another" in name:
        pytest.skip("only the superuser can give files away")
    codes = setup(scene) or CODES
    if not (scene.host.directory / "envs.yaml").is_symlink():
        scene.manifest()
    for command, code in usually([("plan", codes["plan"]), ("lock", codes["lock"])], list(codes.items())):
        ran = scene.host.envsync(*command.split(), env=scene.env)
        assert not any(map(times_started, scene.programs)), f"`{command}` started it"
        assert ran.code == code, (command, ran.code, ran.out, ran.err)
        if command == "plan":
            assert says in " ".join(f"{ran.out} {ran.err}".split()), ran.out + ran.err
    assert scene.programs


def test_there_are_many_ways() -> None:
    assert len(WAYS) >= 30


def test_the_programs_of_the_table_would_be_started_from_an_ordinary_place(scene: Scene) -> None:
    """Otherwise the table would show nothing: such a program is taken for an interpreter, and chosen."""
    scene.on_path(scene.program("ordinary/bin").parent)
    scene.manifest()
    ran = scene.host.envsync("check", env=scene.env)
    assert f"create: python {WANTED}.1" in ran.out, ran.out + ran.err
    scene.env = {}
    scene.python = str(scene.programs[0])
    scene.manifest()
    ran = scene.host.envsync("check", env=scene.env)
    assert f"create: python {WANTED}.1" in ran.out, ran.out + ran.err
    assert times_started(scene.programs[0]) == 2


# What a base interpreter runs when it starts


def test_nothing_in_the_site_packages_of_a_base_interpreter_runs_while_planning(scene: Scene) -> None:
    """A `.pth` file of an interpreter that uv has not met before, and `sitecustomize`, in a copy of a real one."""
    python, mark = copied_interpreter(scene.top / "base"), scene.top / "mark"
    site = python.parent.parent / f"lib/{python.name}/site-packages"
    for file in ("canary.pth", "sitecustomize.py", "usercustomize.py"):
        (site / file).write_text(f"import pathlib; pathlib.Path({str(mark)!r}).write_text('executed')\n")
    subprocess.run([python, "-I", "-c", "pass"], check=True)
    assert mark.exists(), "without `-S`, they run"
    mark.unlink()
    scene.python = str(python)
    scene.host.manifest(f"web:\n  python: {python}\n  packages: [alpha]\n  builds: deny\n")
    for command in ("plan", "check", "status", "observe", "lock", "lock --upgrade", "plan", "check"):
        ran = scene.host.envsync(*command.split())
        assert ran.code in {0, 2}, ran.err
        assert not mark.exists(), f"`{command}` ran what is in the site-packages of the interpreter"
    assert "2 packages" in ran.out, "a lock was made"
    scene.host.apply()
    assert not mark.exists(), "nor does `apply`, which creates an environment that has site-packages of its own"
