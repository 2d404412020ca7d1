"""Hints about git: revisions (`--against`), the index of a repository with local projects."""

import json
import os
import re
import shlex
import struct
import subprocess
import sys
from pathlib import Path

import pytest

from reconciler.git.index_file import tracked_paths
from reconciler.revision.git_revision import open_revision
from tests.git.test_index_file import Repository
from tests.hints.trials import Attempts, printed_hints, trial
from tests.host import Host
from tests.repository import commit, git

WEB = 'web:\n  python: "3.11"\n'


@trial(
    "revision/git_revision.py: use `--against` with a manifest in a git repository",
    "revision/git_revision.py: correct the name, or fetch the revision; CI checks out a single commit by default (for actions/checkout set `fetch-depth: 0`)",
    "revision/git_revision.py: use a branch, a tag or a commit",
    "revision/git_revision.py: run `git fsck` to find the problem",
    "revision/git_revision.py: use a complete clone: one made with `--filter` lacks the files of other revisions",
    "revision/git_errors.py: fetch the revision; CI checks out a single commit by default (for actions/checkout set `fetch-depth: 0`)",
    "revision/sides.py: compare with a revision that has a valid `{file}`",
    "revision/sides.py: run `envsync lock {name}` and commit the lock",
    "revision/compare.py: it has no lock at {revision}, so its packages there are unknown",
    "revision/tracked_files.py: run `git status` to find or fix the problem",
    long=True,
)
def test_revisions(host: Host, attempts: Attempts) -> None:
    against = ("plan", "--against")
    host.manifest(WEB)
    attempts.provoke(*against, "HEAD")
    git(host.directory, "init", "-q", "-b", "main")
    (host.directory / "envs.yaml").write_text("version: 7\n", encoding="utf-8")
    (host.directory / ".gitignore").write_text(".envs\n", encoding="utf-8")
    commit(host, "invalid")
    git(host.directory, "tag", "invalid")
    host.manifest(WEB)
    commit(host, "valid")
    git(host.directory, "tag", "unlocked")
    attempts.gone(*against, "main")
    assert host.envsync("lock").code == 0
    commit(host, "locked")

    attempts.provoke(*against, "nowhere")
    attempts.gone(*against, "main")

    git(host.directory, "tag", "file", git(host.directory, "rev-parse", "HEAD:envs.yaml").strip())
    attempts.provoke(*against, "file")
    attempts.gone(*against, "main")

    attempts.provoke(*against, "invalid")
    attempts.gone(*against, "main")

    host.manifest(WEB + 'jobs:\n  python: "3.11"\n  packages: [gamma]\n')
    attempts.provoke(*against, "main")
    attempts.follow()
    attempts.gone(*against, "main")
    attempts.provoke(*against, "unlocked")
    attempts.not_here("so its packages there are unknown")

    (host.directory / "lib").mkdir()
    (host.directory / "lib/pyproject.toml").write_text(
        '[project]\nname = "lib"\nversion = "1.0"\ndependencies = []\n', encoding="utf-8"
    )
    host.manifest(WEB + "  project: {path: lib, editable: false}\n")
    commit(host, "a project")
    assert host.envsync("lock").code == 0
    commit(host, "locks")
    index = host.directory / ".git/index"
    content = index.read_bytes()
    index.write_bytes(b"DIRC" + b"\0" * 40)
    attempts.provoke(*against, "main")
    found = subprocess.run(["git", "status"], cwd=host.directory, capture_output=True, text=True, check=False)
    assert found.returncode != 0, "git finds the problem as well"
    index.write_bytes(content)
    attempts.gone(*against, "main")

    whole = host.directory
    git(whole.parent, "clone", "-q", "--depth", "1", f"file://{whole}", "shallow")
    git(whole, "config", "uploadpack.allowFilter", "true")
    git(whole.parent, "clone", "-q", "--filter=blob:none", f"file://{whole}", "partial")
    host.directory = whole.parent / "partial"
    attempts.provoke(*against, "HEAD~1")
    host.directory = whole
    attempts.gone(*against, "HEAD~1")

    head = git(whole, "rev-parse", "HEAD^{tree}").strip()
    damaged = whole / ".git/objects" / head[:2] / head[2:]
    text = damaged.read_bytes()
    damaged.chmod(0o644)
    damaged.write_bytes(b"damaged")
    attempts.provoke(*against, "HEAD")
    damaged.write_bytes(text)
    attempts.gone(*against, "HEAD")

    config = whole / ".git/config"
    text = config.read_bytes()
    config.write_text("[core]\n\trepositoryformatversion = 99\n", encoding="utf-8")
    attempts.provoke(*against, "HEAD")
    done = subprocess.run(["git", "fsck"], cwd=whole, capture_output=True, text=True, check=False)
    assert done.returncode != 0, "git finds the problem as well"
    config.write_bytes(text)
    attempts.gone(*against, "HEAD")


@trial('revision/git_revision.py: run `pip install "envsync-reconciler[git] @ git+{repository}@v{version}"`')
def test_without_dulwich(host: Host, attempts: Attempts) -> None:
    """The extra that the hint names has the package that is missing; the download itself is not tried."""
    host.manifest(WEB)
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "dulwich.objects", None)
        hint = attempts.refused(lambda: open_revision(host.directory, "HEAD").__enter__())
    command = shlex.split(hint.split("`")[1])
    assert command[:2] == ["pip", "install"]
    extra = re.search(r"\[(\w+)\]", command[2])
    assert extra
    declared = (Path(__file__).parents[2] / "pyproject.toml").read_text(encoding="utf-8")
    assert re.search(rf'^{extra[1]} = \["dulwich', declared, re.MULTILINE), "pyproject.toml: optional-dependencies"
    attempts.cured()


@trial(
    "git/index_file.py: delete it and run `git reset`, which creates it again without staged changes",
    "git/index_file.py: run `git update-index --index-version 2` with the git that wrote it",
    "git/index_file.py: run `git update-index --no-split-index`",
)
def test_the_index_of_a_repository(host: Host, attempts: Attempts) -> None:
    repository = Repository(host.directory / "repository")
    repository.write("a", "b/c")
    repository.commit()
    index = repository.path / ".git/index"

    def follow(hint: str) -> None:
        for each in re.findall(r"`git ([^`]+)`", hint):
            repository.git(*shlex.split(each))
        assert [os.fsdecode(each) for each in tracked_paths(index)] == repository.listed()
        attempts.cured()

    repository.git("update-index", "--split-index")
    follow(attempts.refused(lambda: tracked_paths(index)))

    content = index.read_bytes()
    index.write_bytes(content[:-30])
    hint = attempts.refused(lambda: tracked_paths(index))
    index.unlink()
    follow(hint)

    index.write_bytes(struct.pack(">4sLL", b"DIRC", 9, 0) + b"\0" * 20)
    attempts.refused(lambda: tracked_paths(index))
    attempts.not_here("with the git that wrote it")


@trial(
    "snapshot/file.py: take a new snapshot on the host with `envsync observe --out FILE`",
    "snapshot/file.py: {cure}, or take a new snapshot",
    "snapshot/model.py: compare it with the manifest of the same project",
    "snapshot/model.py: select the same environments, or take a snapshot of all with `envsync observe` without a name",
    "diff/faults.py: install one on the host, and take a new snapshot",
)
def test_snapshots(host: Host, attempts: Attempts) -> None:
    file = host.directory / "host1.json"
    host.manifest(WEB + 'jobs:\n  python: "3.11"\n')
    check = ("plan", "--actual", "host1.json")
    assert host.envsync("observe", "web", "--out", "host1.json").code == 0
    attempts.provoke(*check)
    attempts.gone("plan", "web", "--actual", "host1.json")
    attempts.follow("--out", "host1.json")
    attempts.gone(*check)

    saved = json.loads(file.read_text(encoding="utf-8"))
    file.write_text(json.dumps({**saved, "format_version": "9.0"}), encoding="utf-8")
    attempts.provoke(*check)
    attempts.not_here("or take a new snapshot")
    file.write_text("{", encoding="utf-8")
    attempts.provoke(*check)
    attempts.follow(FILE="host1.json")
    attempts.gone(*check)

    manifest = host.directory / "envs.yaml"
    right = manifest.read_text(encoding="utf-8")
    manifest.write_text(right.replace("project: acme", "project: other"), encoding="utf-8")
    attempts.provoke(*check)
    manifest.write_text(right, encoding="utf-8")
    attempts.gone(*check)

    saved = json.loads(file.read_text(encoding="utf-8"))
    none = [each for each in saved["interpreters"] if not each["version"].startswith("3.11")]
    file.write_text(json.dumps({**saved, "interpreters": none}), encoding="utf-8")
    attempts.provoke(*check)
    attempts.not_here("on the host")
    file.write_text(json.dumps(saved), encoding="utf-8")
    attempts.gone(*check)


@trial("lock/freshness.py: set it: `export {name}=VALUE`, or remove it from `{FROM_ENV}`")
def test_variables_for_builds(host: Host, attempts: Attempts) -> None:
    host.manifest(WEB + "  build_env: {from_env: [ACME_TOKEN]}\n")
    attempts.provoke("lock")
    host.env = {"ACME_TOKEN": "VALUE"}
    attempts.gone("lock")
    host.env = {}
    host.manifest(WEB + "  build_env: {from_env: []}\n")
    attempts.gone("plan")


@trial(
    "interpreters/choose.py: install one, or change `python`; envsync does not download interpreters",
    "interpreters/choose.py: name an interpreter of this machine, or write a version such as `3.12`",
    "interpreters/permitted.py: name a base interpreter outside of the repository, of roots and of virtual environments",
    "diff/faults.py: found {versions}",
    "lock/lock_file.py: delete it and run `envsync lock {name}`",
    "lock/select.py: delete the lock and run `envsync lock`",
    long=True,
)
def test_interpreters_and_locks(host: Host, attempts: Attempts) -> None:
    old = WEB.replace("3.11", "2.7")
    host.manifest(old)
    attempts.provoke("lock")
    host.manifest(WEB)
    attempts.gone("lock")
    host.manifest(old)
    found = [each.partition("; found ")[2] for each in printed_hints(host.envsync("plan"))]
    hint = attempts.printed([f"found {each}" for each in found if each])
    version = hint.removeprefix("found ").split(", ")[0]
    host.manifest(WEB.replace("3.11", version))
    attempts.gone("plan")

    host.manifest(WEB.replace("3.11", "/nowhere/bin/python3"))
    attempts.provoke("lock")
    host.manifest(WEB.replace("3.11", os.path.realpath(sys.executable)))
    attempts.gone("lock")
    host.manifest(WEB.replace("3.11", ".".join(map(str, sys.version_info[:2]))))
    attempts.gone("lock")

    venv = host.directory.parent / "some-venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", venv], check=True)
    host.manifest(WEB.replace("3.11", str(venv / "bin/python")))
    attempts.provoke("lock")
    host.manifest(WEB.replace("3.11", os.path.realpath(sys.executable)))
    attempts.gone("lock")

    host.manifest(WEB + "  packages: [gamma]\n")
    assert host.envsync("lock").code == 0
    lock = host.directory / "locks/pylock.web.toml"
    lock.write_text(lock.read_text("utf-8").replace("sha256 = ", "md5 = "), encoding="utf-8")
    attempts.provoke("plan")
    lock.unlink()
    attempts.follow()
    attempts.gone("plan", "--locked")

    lock.write_text("= garbage", encoding="utf-8")
    attempts.provoke("plan")
    lock.unlink()
    attempts.follow()
    attempts.gone("plan", "--locked")
