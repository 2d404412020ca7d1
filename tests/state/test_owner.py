"""Which manifest an environment belongs to: by its path, and if it was moved by its repository."""

from pathlib import Path

import pytest

from reconciler.state.owner import OtherOwner, manifest_identity, named_path, other_owners
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
    assert manifest_identity(tmp_path / "envs.yaml", tmp_path / ".envs", {}, "acme").path == "../envs.yaml"
    assert manifest_identity(Path("/a/envs.yaml"), Path("/srv/envs"), {}, "acme").path == "../../a/envs.yaml"


@pytest.mark.parametrize(
    "url", [URL, "https://user:secret@git.example/acme/envs.git", "https://token@git.example/acme/envs.git"]
)
def test_the_repository_is_the_one_of_origin_without_credentials(tmp_path: Path, url: str) -> None:
    file = working_tree(tmp_path, url)
    assert manifest_identity(file, tmp_path / ".envs", {}, "acme").repository == f"{URL} deploy/envs.yaml"


def test_a_repository_without_origin_has_its_first_remote(tmp_path: Path) -> None:
    file = working_tree(tmp_path)
    (tmp_path / ".git/config").write_text('[remote "one"]\nurl = /srv/one\n[remote "two"]\nurl = /srv/two\n')
    assert manifest_identity(file, tmp_path, {}, "acme").repository == "/srv/one deploy/envs.yaml"
    (tmp_path / ".git/config").write_text("")
    assert manifest_identity(file, tmp_path, {}, "acme").repository == ""


def test_outside_of_git_the_repository_is_empty(tmp_path: Path) -> None:
    assert manifest_identity(tmp_path / "envs.yaml", tmp_path / ".envs", {}, "acme").repository == ""


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


@pytest.fixture
def releases(tmp_path: Path) -> Path:
    """Return a directory with two releases, whose files are hard links, and `current`, which means the first."""
    for number in (1, 2):
        (tmp_path / f"releases/{number}").mkdir(parents=True)
    (tmp_path / "releases/1/envs.yaml").touch()
    (tmp_path / "releases/2/envs.yaml").hardlink_to(tmp_path / "releases/1/envs.yaml")
    (tmp_path / "current").symlink_to("releases/1")
    return tmp_path


def switch(releases: Path) -> None:
    """Let `current` mean the second release."""
    (releases / "current").unlink()
    (releases / "current").symlink_to("releases/2")


def test_a_link_names_the_same_manifest_in_the_release_that_it_means(releases: Path) -> None:
    root, last = releases / "envs", {"web": applied(manifest="../current/envs.yaml", project="acme")}
    first, second = (releases / f"releases/{number}/envs.yaml" for number in (1, 2))
    assert other_owners(last, "acme", releases / "current/envs.yaml", root) == {}
    assert other_owners(last, "acme", first, root) == {}
    assert manifest_identity(first, root, last, "acme").path == "../current/envs.yaml", "the name is kept"
    assert manifest_identity(first, root, last, "other").path == "../releases/1/envs.yaml"
    assert other_owners(last, "acme", second, root)["web"].manifest == str(releases / "current/envs.yaml")
    assert manifest_identity(second, root, last, "acme").path == "../releases/2/envs.yaml"
    switch(releases)
    assert other_owners(last, "acme", second, root) == {}
    assert other_owners(last, "acme", first, root) == {"web": OtherOwner(manifest=str(releases / "current/envs.yaml"))}


def test_a_release_that_was_not_named_by_the_link_is_a_different_manifest(releases: Path) -> None:
    root, last = releases / "envs", {"web": applied(manifest="../releases/1/envs.yaml", project="acme")}
    switch(releases)
    for file in (releases / "releases/2/envs.yaml", releases / "current/envs.yaml"):
        found = other_owners(last, "acme", file, root)["web"]
        assert found == OtherOwner(
            manifest=str(releases / "releases/1/envs.yaml"), link=str(releases / "current/envs.yaml")
        )


def test_a_relative_path_is_named_as_the_shell_names_the_working_directory(
    releases: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(releases / "current")
    file, root = Path("envs.yaml"), releases / "envs"
    assert named_path(file, root, str(releases / "current")) == releases / "current/envs.yaml"
    for pwd in ("", ".", "/nowhere", str(releases), str(releases / "releases/2")):
        assert named_path(file, root, pwd) == file
    assert named_path(releases / "releases/1/envs.yaml", root, str(releases / "current")).parent.name == "1"
    assert named_path(file, releases / "releases/1/.envs", str(releases / "current")) == file, "the root moves with it"
