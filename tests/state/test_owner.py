"""Which manifest an environment belongs to: by its path, and if it was moved by its repository."""

from pathlib import Path

import pytest

from reconciler.state.owner import OtherOwner, manifest_identity, other_owners
from tests.state.records import applied

CONFIG = '[remote "upstream"]\n  url = https://git.example/up.git\n[remote "origin"]\n  url = {url}\n'
URL = "https://git.example/acme/envs.git"


def working_tree(top: Path, url: str = URL) -> Path:
    """Make the files of a git repository that are read, and return the path of a manifest in it."""
    (top / ".git/objects").mkdir(parents=True)
    (top / ".git/refs").mkdir()
    (top / ".git/HEAD").write_text("ref: refs/heads/main\n")
    (top / ".git/config").write_text(CONFIG.format(url=url))
    (top / "deploy").mkdir()
    file = top / "deploy/envs.yaml"
    file.touch()
    return file


def test_the_path_is_relative_to_the_root(tmp_path: Path) -> None:
    assert manifest_identity(tmp_path / "envs.yaml", tmp_path / ".envs").path == "../envs.yaml"
    assert manifest_identity(Path("/a/envs.yaml"), Path("/srv/envs")).path == "../../a/envs.yaml"


@pytest.mark.parametrize(
    "url", [URL, "https://user:secret@git.example/acme/envs.git", "https://token@git.example/acme/envs.git"]
)
def test_the_repository_is_the_one_of_origin_without_credentials(tmp_path: Path, url: str) -> None:
    file = working_tree(tmp_path, url)
    assert manifest_identity(file, tmp_path / ".envs").repository == f"{URL} deploy/envs.yaml"


def test_a_repository_without_origin_has_its_first_remote(tmp_path: Path) -> None:
    file = working_tree(tmp_path)
    (tmp_path / ".git/config").write_text('[remote "one"]\nurl = /srv/one\n[remote "two"]\nurl = /srv/two\n')
    assert manifest_identity(file, tmp_path).repository == "/srv/one deploy/envs.yaml"
    (tmp_path / ".git/config").write_text("")
    assert manifest_identity(file, tmp_path).repository == ""


def test_outside_of_git_the_repository_is_empty(tmp_path: Path) -> None:
    assert manifest_identity(tmp_path / "envs.yaml", tmp_path / ".envs").repository == ""


@pytest.mark.parametrize(
    ("manifest", "project", "owner"),
    [
        ("../deploy/envs.yaml", "acme", None),
        ("", "acme", None),
        ("../other.yaml", "acme", "other.yaml"),
        ("../gone.yaml", "acme", "gone.yaml"),
        ("../deploy/envs.yaml", "former", OtherOwner(project="former")),
        ("../other.yaml", "former", None),
        ("", "former", None),
    ],
)
def test_who_applied_it(tmp_path: Path, manifest: str, project: str, owner: OtherOwner | str | None) -> None:
    file, root = working_tree(tmp_path), tmp_path / ".envs"
    (tmp_path / "other.yaml").touch()
    found = other_owners({"web": applied(manifest=manifest, project=project)}, "acme", file, root)
    wanted = OtherOwner(manifest=str(tmp_path / owner)) if isinstance(owner, str) else owner
    assert found.get("web") == wanted


@pytest.mark.parametrize(
    ("repository", "exists", "same"),
    [
        (f"{URL} deploy/envs.yaml", False, True),
        (f"{URL} deploy/envs.yaml", True, False),
        (f"{URL} envs.yaml", False, False),
        ("https://git.example/acme/other.git deploy/envs.yaml", False, False),
        ("", False, False),
    ],
)
def test_a_moved_checkout_is_the_same_only_if_the_old_one_is_gone(
    tmp_path: Path, repository: str, exists: bool, same: bool
) -> None:
    file = working_tree(tmp_path / "now")
    if exists:
        working_tree(tmp_path / "before")
    last = applied(manifest="../before/deploy/envs.yaml", repository=repository)
    assert (other_owners({"web": last}, "acme", file, tmp_path / "root") == {}) == same
