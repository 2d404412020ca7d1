"""`plan --against REF` on real git repositories: the changes of manifest and locks that a merge brings, by package."""

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.functional.host_state import tree
from tests.functional.projects import write_project
from tests.host import Host, Ran, base_environment, isolated_envsync
from tests.index import serve_index
from tests.repository import commit, git
from tests.wheels import make_wheel

WEB = """
web:
  python: "3.11"
  packages: [alpha==1.0, gamma]
"""
needs_git = pytest.mark.skipif(shutil.which("git") is None, reason="needs git (Debian: apt-get install git)")
needs_strace = pytest.mark.skipif(
    shutil.which("strace") is None, reason="needs strace (Debian: apt-get install strace)"
)
pytestmark = needs_git


def lock(host: Host) -> None:
    ran = host.envsync("lock")
    assert ran.code == 0, ran.err


def against(host: Host, reference: str, *arguments: str) -> dict[str, dict[str, Any]]:
    """Return the plan against a revision, by environment; the exit code must agree with it."""
    ran = host.envsync("plan", "--against", reference, "--output", "json", "--detailed-exitcode", *arguments)
    assert ran.code in {0, 2}, ran.err
    found = ran.json()
    assert (found["against"], found["applyable"]) == (reference, False)
    assert all(not each["steps"] and not each["prior"] for each in found["environments"])
    changes = [each for each in found["environments"] if each["action"] != "no-op" or each["blocked"]]
    assert (ran.code == 2) == bool(changes) == found["difference"]
    return {each["name"]: each for each in found["environments"]}


def refused(host: Host, reference: str, *arguments: str) -> str:
    """Return the messages of a plan that must end with exit code 3."""
    ran = host.envsync("plan", "--against", reference, *arguments)
    assert ran.code == 3, ran.out + ran.err
    return ran.err


def lines(environment: dict[str, Any]) -> list[tuple[str, str, str | None, str | None]]:
    assert all(each["origin"] == "pending" for each in environment["packages"])
    return [(each["action"], each["name"], each["before"], each["after"]) for each in environment["packages"]]


def codes(environment: dict[str, Any], what: str = "reasons") -> list[str]:
    return [each["code"] for each in environment[what]]


def test_every_kind_of_change_is_shown_and_no_environment_is_needed(host: Host) -> None:
    host.manifest(WEB + 'old:\n  python: "3.11"\n  packages: [beta]\nkept:\n  python: "3.11"\n  packages: [beta]\n')
    lock(host)
    commit(host)
    same = host.envsync("plan", "--against", "main", "--detailed-exitcode")
    assert (same.code, same.out) == (0, "No changes. 3 environments match `envs.yaml` at `main`.\n")
    host.manifest(
        """
web:
  python: "3.12"
  packages: [alpha==1.1, delta]
  env: {MODE: fast}
kept:
  python: "3.11"
  packages: [beta]
new:
  python: "3.11"
  packages: [gamma]
"""
    )
    make_wheel(host.index.directory, "delta", "3.0")
    lock(host)
    host.index.broken["*"] = 500  # no network
    shutil.rmtree(host.root)  # the cache of `lock`
    found = against(host, "main")
    assert {name: each["action"] for name, each in found.items()} == {
        "kept": "no-op", "new": "create", "old": "delete", "web": "replace",
    }  # fmt: skip
    web = found["web"]
    assert lines(web) == [
        ("upgrade", "alpha", "1.0", "1.1"),
        ("install", "delta", None, "3.0"),
        ("remove", "gamma", "0.1", None),
    ]
    assert codes(web) == ["interpreter-changed", "lock-changed", "settings-changed"]
    assert (web["python_before"], web["python_after"]) == ("3.11", "3.12")
    assert [each["path"] for each in web["settings"]] == [["env", "MODE"], ["python"]]
    assert lines(found["new"]) == [("install", "gamma", None, "0.1")]
    assert not host.root.exists()
    text = host.envsync("plan", "--against", "main").out
    assert text.startswith("envsync plan: acme, 4 environments in .envs, against main\n")
    assert text.endswith("\nPlan: 1 to create, 1 to replace, 1 to delete, 1 unchanged.\n")
    text = host.envsync("plan", "--against", "main", "kept").out
    assert text == "No changes. 1 environment matches `envs.yaml` at `main`.\n"


def test_the_fast_path_does_not_answer_for_a_revision(host: Host) -> None:
    host.manifest("web:\n  python: '3.11'\n  packages: [alpha==1.0]\n")
    lock(host)
    commit(host)
    host.manifest("web:\n  python: '3.11'\n  packages: [alpha==1.1]\n")
    host.apply()
    assert host.envsync("plan").out.startswith("No changes.")
    assert lines(against(host, "main")["web"]) == [("upgrade", "alpha", "1.0", "1.1")]


def test_the_files_that_the_manifest_names_are_read_from_the_revision(host: Host) -> None:
    files = host.directory / "requirements"
    files.mkdir()
    (files / "base.txt").write_text("gamma\n")
    (files / "web.txt").write_text("-r base.txt\nalpha==1.0\n")
    (host.directory / "current").symlink_to("requirements")
    host.manifest("web:\n  python: '3.11'\n  requirements: [current/web.txt]\n")
    lock(host)
    first = commit(host)
    assert against(host, "main")["web"]["action"] == "no-op"
    (files / "base.txt").write_text("")
    lock(host)
    assert lines(against(host, "main")["web"]) == [("remove", "gamma", "0.1", None)]
    (host.directory / "current").unlink()
    shutil.rmtree(files)  # every file that the revision's manifest names is missing on disk
    host.manifest("web:\n  python: '3.11'\n  packages: [alpha==1.1]\n")
    lock(host)
    commit(host)
    assert lines(against(host, first)["web"]) == [("upgrade", "alpha", "1.0", "1.1"), ("remove", "gamma", "0.1", None)]


def test_a_missing_or_outdated_lock_is_reported(host: Host) -> None:
    host.manifest(WEB)
    lock(host)
    commit(host)
    host.manifest(WEB.replace("1.0", "1.1") + "new:\n  python: '3.11'\n  packages: [beta]\n")
    found = against(host, "main")
    assert (codes(found["web"]), found["web"]["complete"], found["web"]["packages"]) == (["lock-stale"], False, [])
    assert codes(found["new"]) == ["new", "lock-missing"]
    assert "envsync lock web" in found["web"]["hints"][0]
    assert "`pylock.new.toml` is missing" in refused(host, "main", "--locked")
    commit(host, "the lock is stale in this revision")
    lock(host)
    assert lines(against(host, "HEAD", "--locked")["web"]) == [("upgrade", "alpha", "1.0", "1.1")]
    assert found.keys() == {"web", "new"}
    hints = against(host, "HEAD", "new")["new"]["hints"]
    assert hints == ["it has no lock at `HEAD`, so its packages there are unknown"]


def test_with_a_manifest_that_the_revision_lacks_every_environment_is_new(host: Host) -> None:
    host.manifest(WEB)
    lock(host)
    commit(host)
    (host.directory / "envs.yaml").rename(host.directory / "other.yaml")
    ran = host.envsync("plan", "--against", "main", "-f", "other.yaml")
    assert ran.err == "note: `other.yaml` is not in `main`: every environment is new\n"
    assert "  + web create: python 3.11, 3 packages\n" in ran.out


def test_a_different_root_creates_and_a_different_project_blocks(host: Host) -> None:
    host.manifest(WEB)
    lock(host)
    commit(host)
    host.manifest(WEB, head="root: elsewhere\n")
    ran = host.envsync("plan", "--against", "main")
    assert "create: python 3.11" in ran.out
    assert "at `main` the root is" in ran.err
    host.manifest(WEB)
    text = (host.directory / "envs.yaml").read_text()
    (host.directory / "envs.yaml").write_text(text.replace("project: acme", "project: zebra"))
    assert codes(against(host, "main")["web"], "blocked") == ["other-project"]


def test_prevent_destroy_of_the_revision_protects(host: Host) -> None:
    host.manifest(WEB + "old:\n  python: '3.11'\n  prevent_destroy: true\n")
    lock(host)
    commit(host)
    host.manifest(WEB)
    assert codes(against(host, "main")["old"], "blocked") == ["prevent-destroy"]
    kept = against(host, "main", "--no-prune")["old"]
    assert (kept["action"], kept["blocked"]) == ("no-op", [])


@pytest.fixture
def clone(host: Host, tmp_path: Path) -> Host:
    """Return a host whose directory is a subdirectory of a clone; the last commit upgraded alpha."""
    origin = host.directory
    host.directory = origin / "deploy"
    host.directory.mkdir()
    host.manifest(WEB)
    lock(host)
    git(origin, "init", "-q", "-b", "main")
    git(origin, "add", "--all")
    git(origin, "commit", "-q", "-m", "first")
    git(origin, "tag", "-a", "v1", "-m", "annotated")
    host.manifest(WEB.replace("1.0", "1.1"))
    lock(host)
    git(origin, "commit", "-q", "-a", "-m", "second")
    git(tmp_path, "clone", "-q", origin.as_uri(), "clone")
    host.directory = tmp_path / "clone" / "deploy"
    return host


UPGRADED = [("upgrade", "alpha", "1.0", "1.1")]


def test_every_kind_of_revision_name_works(clone: Host) -> None:
    top = clone.directory.parent
    first = git(top, "rev-parse", "HEAD~1")
    git(top, "branch", "side", first)
    for reference in ("HEAD~1", "HEAD^", "v1", "v1^{}", "side", "refs/tags/v1", first, first[:9], "origin/main~1"):
        assert lines(against(clone, reference)["web"]) == UPGRADED, reference
    assert against(clone, "origin/main")["web"]["action"] == "no-op"
    git(top, "gc", "-q")
    git(top, "pack-refs", "--all")
    assert lines(against(clone, "v1")["web"]) == UPGRADED
    git(top, "worktree", "add", "-q", str(top.parent / "linked"))
    clone.directory = top.parent / "linked" / "deploy"
    assert lines(against(clone, "v1")["web"]) == UPGRADED
    link = top.parent / "link"
    link.symlink_to(top / "deploy")
    clone.directory = link
    assert lines(against(clone, "v1", "-f", str(link / "envs.yaml"))["web"]) == UPGRADED


def test_a_revision_that_does_not_exist_is_refused_with_a_hint(clone: Host) -> None:
    top = clone.directory.parent
    for reference in (
        "nowhere",
        "HEAD~7",
        "",
        "--",
        "f" * 40,
        "HEAD@{9}",
        ":envs.yaml",
        "HEAD:deploy",
        "\u00e9",
        "a\nb",
    ):
        messages = refused(clone, reference)
        assert messages.startswith("error: "), reference
        assert "hint: " in messages, reference
    assert "`nowhere`" in refused(clone, "nowhere")
    git(top.parent, "clone", "-q", "--depth", "1", f"file://{top}", "shallow")
    clone.directory = top.parent / "shallow" / "deploy"
    assert against(clone, "origin/main")["web"]["action"] == "no-op"
    assert "fetch-depth: 0" in refused(clone, "HEAD~1")
    git(top, "config", "uploadpack.allowFilter", "true")
    git(top.parent, "clone", "-q", "--filter=blob:none", f"file://{top}", "partial")
    clone.directory = top.parent / "partial" / "deploy"
    assert "made with `--filter`" in refused(clone, "HEAD~1")
    clone.directory = top.parent / "shallow" / "deploy"
    shutil.rmtree(top.parent / "shallow" / ".git")
    assert "not in a git repository" in refused(clone, "HEAD")


def test_errors_in_the_revision_are_refused_and_named(host: Host) -> None:
    host.manifest("web:\n  python: '3.11'\n  package: [alpha]\n")
    commit(host)
    host.manifest(WEB)
    lock(host)
    messages = refused(host, "main")
    assert "at `main`, envs.yaml:" in messages
    assert "environments.web.package: unknown key" in messages
    assert "hint: " in messages
    commit(host)
    (host.directory / "locks" / "pylock.web.toml").write_text("no lock")
    commit(host, "broken lock")
    lock_text = git(host.directory, "show", "HEAD~1:locks/pylock.web.toml")
    (host.directory / "locks" / "pylock.web.toml").write_text(lock_text + "\n")
    assert "at `main`, " in refused(host, "main")
    assert "pylock.web.toml" in refused(host, "main")


def test_a_link_out_of_the_repository_is_not_followed(host: Host, tmp_path: Path) -> None:
    outside = tmp_path / "outside.txt"
    outside.write_text("alpha==1.0\n")
    for number, target in enumerate((str(outside), "../outside.txt", "loop.txt")):
        (host.directory / "loop.txt").unlink(missing_ok=True)
        (host.directory / "loop.txt").symlink_to(target)
        host.manifest("web:\n  python: '3.11'\n  requirements: [loop.txt]\n")
        commit(host, str(number))
        host.manifest(WEB)
        expected = "a symbolic link that points out of the repository" if number < 2 else "too many symbolic links"
        assert expected in refused(host, "main")
    (host.directory / "loop.txt").unlink()
    (host.directory / "loop.txt").write_text("#" * (1024 * 1024 + 1))
    host.manifest("web:\n  python: '3.11'\n  requirements: [loop.txt]\n")
    commit(host, "large")
    host.manifest(WEB)
    assert "larger than 1 MiB" in refused(host, "main")


def test_sources_of_a_local_project_are_compared_as_git_stores_them(host: Host, tmp_path: Path) -> None:
    lib = host.directory / "lib"
    write_project(lib, "acme-lib", dependencies='["gamma"]')
    write_project(host.directory / "app", "acme-app")
    (lib / ".gitattributes").write_text("*.dat text eol=crlf\n")
    (lib / "src" / "table.dat").write_bytes(b"1\r\n")  # on disk it always differs from git's object
    module = tmp_path / "module"
    write_project(module, "module")
    for arguments in (("init", "-q"), ("add", "--all"), ("commit", "-q", "-m", "module")):
        git(module, *arguments)
    git(host.directory, "init", "-q", "-b", "main")
    git(host.directory, "submodule", "--quiet", "add", str(module), "lib/vendored")
    (host.directory / "local.txt").write_text("-e ./app\n")
    host.manifest("web:\n  python: '3.11'\n  project: {path: lib}\n  requirements: [local.txt]\n")
    lock(host)
    commit(host)
    git(host.directory, "checkout", "-q", "--", ".")
    assert against(host, "main")["web"]["action"] == "no-op"
    (lib / "src" / "acme_lib.py").write_text("WORD = 'second'\n")
    assert [each["reason"] for each in against(host, "main")["web"]["packages"]] == ["source-changed"]
    git(host.directory, "checkout", "-q", "--", "lib")
    git(lib / "vendored", "commit", "-q", "--allow-empty", "-m", "newer")
    assert against(host, "main")["web"]["action"] == "no-op"  # the commit is the one in git's index, until it is added
    git(host.directory, "add", "--all")
    assert [each["name"] for each in against(host, "main")["web"]["packages"]] == ["acme-lib"]
    git(host.directory, "reset", "-q", "--hard")
    (host.directory / "app" / "src" / "acme_app.py").write_text("WORD = 'edited'\n")
    assert against(host, "main")["web"]["action"] == "no-op"  # the modules of an editable project are used in place
    write_project(host.directory / "app", "acme-app", version="2.0")
    assert codes(against(host, "main")["web"]) == ["source-changed"]
    assert [each["name"] for each in against(host, "main")["web"]["packages"]] == ["acme-app"]
    write_project(host.directory / "app", "acme-app", version="2.0", dependencies='["beta"]')
    assert codes(against(host, "main")["web"]) == ["lock-stale"]


@pytest.mark.parametrize("editable", [False, True], ids=["copied", "editable"])
def test_a_project_at_the_top_of_the_repository_is_compared(editable: bool, host: Host) -> None:
    write_project(host.directory, "acme-top", dependencies='["gamma"]')
    (host.directory / ".gitignore").write_text("/.envs\n")
    host.manifest(f"web:\n  python: '3.11'\n  project: {{path: ., editable: {str(editable).lower()}}}\n")
    lock(host)
    commit(host)
    assert against(host, "main")["web"]["action"] == "no-op"
    (host.directory / "locks/notes.txt").write_text("a lock is not a source of the project that it locks\n")
    git(host.directory, "add", "--all")
    (host.directory / "src/acme_top.py").write_text("WORD = 'second'\n")
    packages = [] if editable else ["acme-top"]  # the modules of an editable project are used in place
    assert [each["name"] for each in against(host, "main")["web"]["packages"]] == packages
    commit(host)
    assert against(host, "main")["web"]["action"] == "no-op"
    assert [each["name"] for each in against(host, "main~1")["web"]["packages"]] == packages
    write_project(host.directory, "acme-top", dependencies='["gamma", "beta"]')
    lock(host)
    assert {each["name"] for each in against(host, "main")["web"]["packages"]} == {"acme-top", "beta"}


def test_options_about_environments_cannot_be_combined_with_against(host: Host) -> None:
    host.manifest(WEB)
    commit(host)
    for option in ("--depth=files", "--adopt", "--drop-ignored", "--timeout=9"):
        assert f"`--against` and `{option.partition('=')[0]}` cannot be combined" in refused(host, "main", option)


def test_without_dulwich_the_error_says_what_to_install(host: Host) -> None:
    host.manifest(WEB)
    commit(host)
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            "import sys; sys.modules['dulwich'] = None\nfrom reconciler.cli import main; main()",
            *("plan", "--against", "main"),
        ],
        cwd=host.directory,
        env=base_environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 3
    assert 'pip install "envsync-reconciler[git] @ git+https://github.com/envsync/envsync@v' in done.stderr


@needs_strace
def test_no_program_is_started_nothing_is_written_and_the_network_is_not_used(host: Host, tmp_path: Path) -> None:
    write_project(host.directory / "lib", "acme-lib")
    host.manifest(WEB + "  project: {path: lib}\n")
    lock(host)
    commit(host)
    host.manifest(WEB.replace("1.0", "1.1") + "  project: {path: lib}\n")
    lock(host)
    git(host.directory, "clone", "-q", "--bare", ".", "../bare.git")
    canary = tmp_path / "canary"
    canary.write_text(f"#!/bin/sh\ntouch '{tmp_path}/sang'\n")
    canary.chmod(0o755)
    for key in ("core.fsmonitor", "core.sshCommand", "core.pager", "filter.x.smudge", "filter.x.clean", "alias.log"):
        git(host.directory, "config", key, str(canary))
    (host.directory / ".git" / "info" / "attributes").write_text("* filter=x\n")
    for hook in ("post-checkout", "post-index-change", "reference-transaction", "fsmonitor-watchman"):
        shutil.copy(canary, host.directory / ".git" / "hooks" / hook)
    before = tree(host.directory)
    log = tmp_path / "strace.log"
    done = subprocess.run(
        [
            *("strace", "-f", "-qq", "-e", "trace=execve,connect,fork,vfork", "-o", str(log)),
            *(*isolated_envsync(), "plan", "--against", "main"),
        ],
        cwd=host.directory,
        env=base_environment(),
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    ran = Ran(code=done.returncode, out=done.stdout, err=done.stderr)
    assert ran.code == 0, ran.err
    assert "alpha" in ran.out
    seen = [line for line in log.read_text().splitlines() if "execve(" in line or "connect(" in line or "fork(" in line]
    assert len([line for line in seen if "execve(" in line and line.endswith("= 0")]) == 1, seen  # envsync itself
    assert not [line for line in seen if "connect(" in line or "fork(" in line]
    assert not (tmp_path / "sang").exists()
    assert tree(host.directory) == before


def test_the_same_version_from_another_host_or_with_another_hash_is_to_be_reviewed(host: Host, tmp_path: Path) -> None:
    """A merge brings `alpha` rebuilt under its old name, and all from another index; `gamma` has a new version."""
    host.manifest(WEB)
    lock(host)
    commit(host)
    with serve_index(tmp_path / "other") as other:
        for each in host.index.directory.iterdir():
            (other.directory / each.name).write_bytes(each.read_bytes())
        make_wheel(other.directory, "alpha", "1.0", requires=["beta"], modules={"alpha/__init__.py": "NAME = 'x'\n"})
        make_wheel(other.directory, "gamma", "0.2", modules={"gamma/__init__.py": ""})
        text = (host.directory / "envs.yaml").read_text(encoding="utf-8")
        text = text.replace(host.index.url, other.url).replace("gamma]", "gamma>=0.2]")
        (host.directory / "envs.yaml").write_text(text, encoding="utf-8")
        lock(host)
        web = against(host, "main")["web"]
        found = {each["name"]: each["source"] for each in web["packages"]}
        hosts = {"before": [host.index.base], "after": [other.base]}
        assert found == {
            "alpha": {**hosts, "review": ["host", "hash"]},
            "beta": {**hosts, "review": ["host"]},
            "gamma": {**hosts, "review": []},
        }
        assert web["notes"] == ["review `alpha`, `beta`: same version, different host and hash"]
        said = "review it: same version, different host and hash; lock changed from "
        for output in ("text", "markdown", "html", "github", "json"):
            out = " ".join(host.envsync("plan", "--against", "main", "--output", output).out.split())
            assert host.index.base.partition("://")[2] in out, output
            assert other.base.partition("://")[2] in out, output
            assert "review" in out, output
            assert said in out or output in {"json", "github", "html"}, (output, out)


def test_another_host_of_the_files_alone_is_a_change(host: Host, tmp_path: Path) -> None:
    host.manifest('web:\n  python: "3.11"\n  packages: [beta]\n')
    lock(host)
    commit(host)
    with serve_index(tmp_path / "other") as other:
        own, files = (each.base.partition("://")[2] for each in (host.index, other))
        text = (host.directory / "envs.yaml").read_text(encoding="utf-8")
        more = f"    file_hosts: ['{files}']\nenvironments:"
        (host.directory / "envs.yaml").write_text(text.replace("environments:", more), encoding="utf-8")
        path = host.directory / "locks/pylock.web.toml"
        edited = path.read_text(encoding="utf-8").replace(f"{own}/files", f"{files}/files")
        path.write_text(edited, encoding="utf-8")
        [change] = against(host, "main")["web"]["packages"]
        source = {
            "before": [f"http://{own}"],
            "after": sorted([f"http://{own}", f"http://{files}"]),
            "review": ["host"],
        }
        assert (change["action"], change["source"]) == ("change", source)
        assert "refused" not in host.envsync("validate").err


def test_a_publisher_that_changed_is_to_be_reviewed(host: Host) -> None:
    """PEP 751 has a place for the identities in the attestations of a package (PEP 740)."""
    host.manifest('web:\n  python: "3.11"\n  packages: [beta]\n')
    lock(host)
    path = host.directory / "locks/pylock.web.toml"
    text = path.read_text(encoding="utf-8")
    identity = '\nattestation-identities = [{kind = "GitHub", repository = "acme/beta"}]\n\n[tool.envsync]'
    path.write_text(text.replace("\n\n[tool.envsync]", identity), encoding="utf-8")
    commit(host)
    path.write_text(path.read_text(encoding="utf-8").replace("acme/beta", "evil/beta"), encoding="utf-8")
    [change] = against(host, "main")["web"]["packages"]
    assert change["source"]["review"] == ["publisher"]
