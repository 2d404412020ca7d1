"""Which programs may be started as interpreters: the place, the name and the owner, on the whole path through links."""

import os
import subprocess
from pathlib import Path

import pytest

from reconciler.fs.accounts import user_name
from reconciler.interpreters.discover import discover_interpreters
from reconciler.interpreters.permitted import ForbiddenPlaces, Refusal, refusal
from tests.interpreters.fakes import script, times_started
from tests.unprivileged import reachable_directory, unprivileged

OUTSIDE = "name a base interpreter outside of the repository, of roots and of virtual environments"
NAME = "name the interpreter itself, for example `/usr/bin/python3`"
SOME_USER = 65534
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only the superuser can give files away")


@pytest.fixture
def host(tmp_path: Path) -> Path:
    """A machine with a repository, its root, another root, a virtual environment and a good interpreter."""
    for name in ("repo/.git", "repo/deploy", "repo/.envs/.envsync", "other-root/.envsync", "venv/lib/pkg/bin"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "venv/pyvenv.cfg").write_text("home = /usr/bin\n")
    (tmp_path / "repo/deploy/envs.yaml").touch()
    for name in ("good", "repo/tools", "repo/.envs/x", "other-root/x", "venv/bin", "venv/lib/pkg/bin"):
        script(tmp_path / name, "python3", "exit 1\n")
    return tmp_path


def places(host: Path) -> ForbiddenPlaces:
    return ForbiddenPlaces.of(host / "repo/deploy/envs.yaml", host / "root")


def why(host: Path, path: Path | str, forbidden: ForbiddenPlaces | None = None) -> Refusal | None:
    found = refusal(str(host / path), forbidden or places(host))
    assert not times_started(host / "good/python3")
    return found


def test_an_interpreter_of_the_machine_may_be_started(host: Path) -> None:
    assert why(host, "good/python3") is None
    (host / "bin").mkdir()
    (host / "etc").mkdir()
    (host / "good/python3.12").symlink_to("python3")
    (host / "etc/python").symlink_to(host / "good/python3.12")
    (host / "bin/python").symlink_to("../etc/python")  # as Debian's alternatives
    assert why(host, "bin/python") is None


@pytest.mark.parametrize(
    ("path", "where"),
    [
        ("repo/tools/python3", "the repository of the manifest `TOP/repo`"),
        ("repo/deploy/../tools/python3", "the repository of the manifest `TOP/repo`"),
        ("good/../repo/tools/python3", "the repository of the manifest `TOP/repo`"),
        ("repo/.envs/x/python3", "the root `TOP/repo/.envs`"),
        ("other-root/x/python3", "the root `TOP/other-root`"),
        ("venv/bin/python3", "the virtual environment `TOP/venv`"),
        ("venv/lib/pkg/bin/python3", "the virtual environment `TOP/venv`"),
    ],
)
@pytest.mark.parametrize("how", ["itself", "a link", "a chain of links", "a link to its directory", "a hop over it"])
def test_nothing_of_a_commit_a_root_or_an_environment_is_started(path: str, where: str, how: str, host: Path) -> None:
    forbidden = ForbiddenPlaces.of(host / "repo/deploy/envs.yaml", host / "repo/.envs")
    links = host / "links"
    links.mkdir()
    match how:
        case "itself":
            asked = host / path
        case "a link":
            asked = links / "python3"
            asked.symlink_to(host / path)
        case "a chain of links":
            (links / "python3.12").symlink_to(os.path.relpath(host / path, links))
            (links / "python3").symlink_to("python3.12")
            asked = links / "python3"
        case "a link to its directory":
            (links / "bin").symlink_to((host / path).parent)
            asked = links / "bin/python3"
        case _:  # the commit decides where its link leads, today to a good interpreter
            hop = (host / path).parent / "python3.12"
            hop.symlink_to(host / "good/python3")
            asked = links / "python3"
            asked.symlink_to(hop)
    found = why(host, asked, forbidden)
    assert found is not None
    assert found.message.startswith(f"`{asked}` ")
    assert found.message.endswith(f" in {where.replace('TOP', str(host))}")
    assert (found.hint, found.curable) == (OUTSIDE, False)


def test_a_manifest_behind_a_link_has_the_repositories_of_both(host: Path) -> None:
    (host / "etc/.git").mkdir(parents=True)
    (host / "etc/envs.yaml").symlink_to(host / "repo/deploy/envs.yaml")
    script(host / "etc/bin", "python3", "exit 1\n")
    forbidden = ForbiddenPlaces.of(host / "etc/envs.yaml", host / "root")
    assert why(host, "repo/tools/python3", forbidden) is not None
    assert why(host, "etc/bin/python3", forbidden) is not None
    assert why(host, "good/python3", forbidden) is None


def test_without_a_repository_the_directory_of_the_manifest_counts(host: Path) -> None:
    script(host / "plain/tools", "python3", "exit 1\n")
    forbidden = ForbiddenPlaces.of(host / "plain/envs.yaml", host / "plain/.envs")
    found = why(host, "plain/tools/python3", forbidden)
    assert found is not None
    assert found.message.endswith(f"is in the directory of the manifest `{host}/plain`")
    assert why(host, "good/python3", forbidden) is None


def test_a_manifest_in_the_top_directory_leaves_interpreters() -> None:
    """Containers have one: everything is below `/`, and nothing would be left."""
    assert "/" not in ForbiddenPlaces.of(Path("/envs.yaml"), Path("/.envs")).directories


@pytest.mark.parametrize("name", ["sh", "python3-config", "python3.sh", "exe", "shim"])
def test_a_program_without_the_name_of_an_interpreter_is_not_started(name: str, host: Path) -> None:
    program = script(host / "bin", name, "exit 1\n")
    found = why(host, program)
    assert found == Refusal(message=f"`{program}` does not have the name of an interpreter", hint=NAME)
    (host / "bin/python3").symlink_to(name)
    found = why(host, "bin/python3")
    assert found is not None
    assert found.message == (
        f"`{host}/bin/python3` leads through `{program}`, which does not have the name of an interpreter"
    )


@needs_root
def test_a_way_into_another_container_is_refused(host: Path) -> None:
    """The text of the link `/proc/PID/root` is `/`, but it means what that process sees as `/`."""
    other = [
        "unshare",
        "--mount",
        "sh",
        "-c",
        f"mount -t tmpfs none {host}/good && cp /bin/sh {host}/good/python3 && echo && cat",
    ]
    with subprocess.Popen(other, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        if not process.stdout.readline():
            pytest.skip("cannot make a mount namespace")
        path = f"/proc/{process.pid}/root{host}/good/python3"
        found = why(host, path)
        process.stdin.close()
    assert found == Refusal(message=f"`{path}` is not the file that its links name", hint=NAME)


@pytest.mark.parametrize("which", ["file", "directory", "directory above", "directory of a link"])
@pytest.mark.parametrize("mode", [0o757, 0o777])
def test_what_others_may_write_to_is_not_started(which: str, mode: int, host: Path) -> None:
    program = script(host / "opt/py/bin", "python3.12", "exit 1\n")
    (host / "links").mkdir()
    (host / "links/python3").symlink_to(program)
    changed = {
        "file": program,
        "directory": program.parent,
        "directory above": host / "opt",
        "directory of a link": host / "links",
    }[which]
    changed.chmod(mode)
    found = why(host, "links/python3")
    assert found is not None
    assert found.message.endswith(f"`{changed}` can be changed by every user")
    assert found.message.startswith(f"`{host}/links/python3` is not used: ")
    assert found.hint == f"run `chmod go-w {changed}`, or use an interpreter that only root and you can change"
    assert found.curable
    os.system(found.hint.split("`")[1])  # noqa: S605  # what the hint says
    assert why(host, "links/python3") is None


@needs_root
@pytest.mark.parametrize("which", ["file", "directory", "link"])
def test_what_belongs_to_another_user_is_not_started(which: str, host: Path) -> None:
    program = script(host / "with space/bin", "python3.12", "exit 1\n")
    link = host / "python3"
    link.symlink_to(program)
    changed = {"file": program, "directory": program.parent, "link": link}[which]
    os.chown(changed, SOME_USER, -1, follow_symlinks=False)
    found = why(host, link)
    assert found is not None
    assert found.message.endswith(f"`{changed}` belongs to user `{user_name(SOME_USER)}`")
    assert found.curable
    os.system(found.hint.split("`")[1])  # noqa: S605  # what the hint says
    assert why(host, link) is None


@needs_root
def test_another_user_may_start_what_is_its_own_or_belongs_to_root() -> None:
    """As pyenv and uv install: in the home directory of the user."""
    with reachable_directory() as place:
        own, roots, others = (script(place / name / "bin", "python3.12", "exit 1\n") for name in ("own", "roots", "x"))
        for path in (own, own.parent, own.parent.parent):
            os.chown(path, SOME_USER, -1)
        os.chown(others, 1, -1)
        forbidden = ForbiddenPlaces()
        with unprivileged():
            assert refusal(str(own), forbidden) is None
            assert refusal(str(roots), forbidden) is None
            found = refusal(str(others), forbidden)
        assert found is not None
        assert found.message == f"`{others}` belongs to user `{user_name(1)}`"
        assert f"`chown -h {user_name(SOME_USER)} {others}`" in found.hint
        assert refusal(str(own), forbidden) is not None, "root does not start what a user could change"


@needs_root
def test_interpreters_that_a_user_installed_at_home_are_found_and_may_be_started() -> None:
    """pyenv, uv, conda, a link in `~/.local/bin`, and a shim that the manifest names; root would start none of them."""
    with reachable_directory() as home:
        pyenv = script(home / ".pyenv/versions/3.12.1/bin", "python3.12", "exit 1\n")
        shim = script(home / ".pyenv/shims", "python3.12", "exit 1\n")
        conda = script(home / "miniconda3/bin", "python3.11", "exit 1\n")
        managed = script(home / ".local/share/uv/python/cpython-3.13.1-linux/bin", "python3.13", "exit 1\n")
        (conda.parent / "python").symlink_to("python3.11")
        (home / ".local/bin").mkdir()
        (home / ".local/bin/python3.13").symlink_to(managed)
        for directory, _, files in os.walk(home):
            for path in (directory, *(f"{directory}/{each}" for each in files)):
                os.chown(path, SOME_USER, -1, follow_symlinks=False)
        ambient = {"HOME": str(home), "PATH": f"{home}/.pyenv/shims:{home}/.local/bin:{conda.parent}"}
        with unprivileged():
            found = discover_interpreters(ambient, ForbiddenPlaces())
            assert refusal(str(shim), ForbiddenPlaces()) is None
        wanted = {str(home / ".local/bin/python3.13"), str(conda), str(pyenv)}
        assert wanted <= {each.path for each in found.candidates}
        assert not found.refused
        as_root = discover_interpreters(ambient, ForbiddenPlaces())
        assert not wanted & {each.path for each in as_root.candidates}
        assert {why.curable for _, why in as_root.refused} == {True}
