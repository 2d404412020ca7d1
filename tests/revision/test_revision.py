"""A git repository is untrusted: for any contents and any revision name, the result is a plan or an error."""

import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import reconciler
from reconciler.errors import LockError, RevisionError
from tests.host import base_environment
from tests.lock.nothing_generated import inputs_digest

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="needs git (Debian: apt-get install git)")

MANIFEST = """\
version: 1
project: acme
indexes:
  - {name: one, url: "https://index.example/simple", file_hosts: [mirror.example]}
  - {name: other, url: "https://other.example/simple", file_hosts: [index.example]}
environments:
  web: {python: "3.11", requirements: [files/web.txt], project: {path: lib}}
"""
LOCK = """\
lock-version = "1.0"
created-by = "a test"

[[packages]]
name = "alpha"
version = "1.0"
index = "https://index.example/simple"
wheels = [{name = "alpha-1.0-py3-none-any.whl", url = "https://index.example/a.whl", hashes = {sha256 = "0"}}]

[[packages]]
name = "alpha"
version = "2.0"
marker = "python_version >= '3.12'"
index = "https://index.example/simple"
wheels = [{name = "alpha-2.0-py3-none-any.whl", url = "https://index.example/b.whl", hashes = {sha256 = "1"}}]

[[packages]]
name = "lib"
directory = {path = "../lib"}
"""
LOCK = LOCK.replace('"0"', f'"{"0" * 64}"').replace('"1"', f'"{"1" * 64}"')


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository of two commits, with a manifest, a requirements file, a local project and a lock."""
    top = tmp_path_factory.mktemp("repository")
    for name in ("files", "lib", "locks"):
        (top / name).mkdir()
    (top / "envs.yaml").write_text(MANIFEST)
    (top / "files" / "web.txt").write_text("alpha\n")
    (top / "lib" / "pyproject.toml").write_text("[project]\nname = 'lib'\nversion = '1'\n")
    (top / "locks" / "pylock.web.toml").write_text(LOCK)
    who = {f"GIT_{role}_{what}": "a@b" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    for arguments in (["init", "-b", "main"], ["add", "."], ["commit", "-m", "1"], ["commit", "--allow-empty", "-m2"]):
        subprocess.run(["git", *arguments], cwd=top, env={**base_environment(), **who}, check=True, capture_output=True)
    return top


NAMES = st.lists(
    st.sampled_from(["HEAD", "main", "~", "^", "^{}", "@{", "}", "1", "0", "99", ":", "/", ".", "-", "refs/", "heads/"])
    | st.text(max_size=3),
    max_size=6,
).map("".join)


@pytest.mark.filterwarnings("ignore::DeprecationWarning:dulwich")  # about names that a later version will refuse
@given(NAMES)
@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_revision_name_gives_a_plan_or_an_error(repository: Path, name: str) -> None:
    workspace = reconciler.load(repository / "envs.yaml", ambient={})
    try:
        plan = workspace.plan_against(name).plan
    except RevisionError:
        return
    assert plan.against == name
    assert [each.name for each in plan.environments] == ["web"]


@pytest.mark.parametrize("damage", ["empty", "cut", "garbled", "gone"])
def test_a_damaged_repository_gives_a_plan_or_an_error(repository: Path, tmp_path: Path, damage: str) -> None:
    files = sorted(
        path.relative_to(repository)
        for path in (repository / ".git").rglob("*")
        if path.is_file() and "hooks" not in path.parts
    )
    refused = 0
    for number, file in enumerate(files):
        copy = tmp_path / str(number)
        shutil.copytree(repository, copy)
        content = (copy / file).read_bytes()
        (copy / file).unlink()
        if damage != "gone":
            half = len(content) // 2
            spoiled = {"empty": b"", "cut": content[:half], "garbled": content[:half] + b"\xff\0\n[" + content[half:]}
            (copy / file).write_bytes(spoiled[damage])
        try:
            reconciler.load(copy / "envs.yaml", ambient={}).plan_against("main~1")
        except (RevisionError, LockError):  # the tree of the manifest, its locks, its sources
            refused += 1
    assert refused >= 5  # HEAD or the branch, the commits, the trees, the manifest


def test_all_versions_that_markers_choose_between_are_shown(repository: Path, tmp_path: Path) -> None:
    shutil.copytree(repository, tmp_path / "copy")
    workspace = reconciler.load(tmp_path / "copy" / "envs.yaml", ambient={})
    lock = tmp_path / "copy" / "locks" / "pylock.web.toml"
    (environment,) = workspace.plan_against("main").plan.environments
    assert [each.code.value for each in environment.reasons] == ["lock-stale"]  # another tool wrote the lock
    desired = workspace.desired()
    inputs = inputs_digest(desired.environments[0], desired.indexes)
    mine = f'\n[tool.envsync]\ninputs = "{inputs}"\n'
    lock.write_text(LOCK + mine)
    (environment,) = workspace.plan_against("main").plan.environments
    assert (environment.packages, environment.package_count) == ((), 2)
    lock.write_text(LOCK.replace("2.0", "3.0") + mine)
    (environment,) = workspace.plan_against("main").plan.environments
    assert [(each.action, each.before, each.after) for each in environment.packages] == [
        ("change", "1.0 | 2.0", "1.0 | 3.0")
    ]
    for old, new in (("'3.12'", "'3.13'"), ("1" * 64, "2" * 64), ("index.example/simple", "other.example/simple")):
        lock.write_text(LOCK.replace(old, new) + mine)
        (environment,) = workspace.plan_against("main").plan.environments
        assert [each.action for each in environment.packages] == ["change"], new
    lock.write_text(LOCK.replace("index.example/b.whl", "mirror.example/b.whl") + mine)
    [change] = workspace.plan_against("main").plan.environments[0].packages
    assert change.source is not None
    assert [each.value for each in change.source.review] == ["host"], "another host alone is to be reviewed"
