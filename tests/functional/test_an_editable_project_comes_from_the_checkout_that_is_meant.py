"""An editable project is installed from the directory that the manifest means now, and that directory exists."""

import shutil

import pytest

from tests.functional.projects import write_project
from tests.host import Host

DEPTHS = ("metadata", "files", "hashes")


def checkout(host: Host, name: str, *, word: str, editable: bool = True) -> Host:
    """Write a checkout with a manifest and a project; all checkouts have the same absolute root."""
    made = Host(directory=host.directory / name, index=host.index)
    write_project(made.directory / "app", "own", word=word)
    web = f'web:\n  python: "3.11"\n  project: {{path: app, editable: {str(editable).lower()}}}\n'
    made.manifest(web, head=f"root: {host.directory / 'root'}\n")
    return made


def word(host: Host) -> str:
    return host.envsync("run", "web", "--", "python", "-c", "import own; print(own.WORD)").out.strip()


# Spaces, percent signs and letters outside ASCII are quoted in the URL that the installer records.
@pytest.mark.parametrize("second", ["two", "a 100%25 ü # ? ; key=x @ &"], ids=["plain", "quoted"])
def test_another_checkout_is_a_pending_change_and_apply_installs_from_it(host: Host, second: str) -> None:
    one, two = checkout(host, "one", word="one"), checkout(host, second, word="two")
    one.apply()
    shutil.copytree(one.directory / "locks", two.directory / "locks")
    for depth in DEPTHS:
        assert one.envsync("check", "--depth", depth).code == 0
        web = two.environment("web", "--depth", depth)
        assert [(each["code"], each["origin"]) for each in web["reasons"]] == [("source-moved", "pending")]
        message = web["reasons"][0]["message"]
        assert str(one.directory / "app") in message
        assert str(two.directory / "app") in message
    assert two.envsync("check", "--only", "drift").code == 0
    assert two.envsync("verify").code == 0, "the generation is as it was sealed"
    assert word(two) == "one"
    two.apply()
    assert word(two) == "two"
    assert one.envsync("check").code == 2
    one.apply()
    assert word(one) == "one"


def test_a_project_directory_that_is_gone_is_drift_and_apply_repairs_it(host: Host) -> None:
    one, two = checkout(host, "one", word="one"), checkout(host, "two", word="two")
    one.apply()
    shutil.copytree(one.directory / "locks", two.directory / "locks")
    sources = one.directory / "app" / "src"
    sources.rename(one.directory / "moved")
    (found,) = one.environment("web", "--depth", "metadata")["findings"]
    assert (found["code"], found["path"].rpartition("/")[2]) == ("editable-missing", "_own.pth")
    assert f"imported from `{sources}`" in found["detail"]
    note = f"note: web: `own` is an editable project: its modules are imported from `{sources}`, which does not exist"
    assert note in one.apply().err
    shutil.rmtree(one.directory)
    for depth in DEPTHS:
        web = two.environment("web", "--depth", depth)
        assert {each["code"] for each in web["findings"]} == {"editable-missing"}
        assert two.envsync("verify", "--depth", depth).code == 2
    assert two.envsync("check", "--only", "drift").code == 2
    assert "drift" in two.envsync("status").out
    two.apply()
    assert word(two) == "two"
    assert two.envsync("verify").code == 0


def test_a_project_that_lost_its_metadata_file_is_named_by_verify(host: Host) -> None:
    one, two = checkout(host, "one", word="one"), checkout(host, "two", word="two")
    one.apply()
    (one.directory / "app" / "pyproject.toml").unlink()
    assert one.envsync("check").code == 3, "the manifest names a directory without a project"
    ran = two.envsync("verify")
    assert ran.code == 2
    assert "own" in ran.out


def test_a_release_behind_a_symbolic_link_is_installed_from_the_release_that_the_link_means(host: Host) -> None:
    releases = [checkout(host, f"releases/{number}", word=str(number)) for number in (1, 2)]
    shutil.rmtree(releases[1].directory / "locks", ignore_errors=True)
    link = host.directory / "current"
    link.symlink_to("releases/1")
    current = Host(directory=link, index=host.index)
    current.apply()
    shutil.copytree(releases[0].directory / "locks", releases[1].directory / "locks")
    assert word(current) == "1"
    assert current.envsync("check").code == 0
    new = host.directory / "new"
    new.symlink_to("releases/2")
    new.replace(link)
    assert [each["code"] for each in current.environment("web")["reasons"]] == ["source-moved"]
    current.apply()
    assert word(current) == "2"


def test_a_checkout_of_a_project_that_is_not_editable_may_move(host: Host) -> None:
    one = checkout(host, "one", word="one", editable=False)
    one.apply()
    one.directory.rename(host.directory / "two")
    two = Host(directory=host.directory / "two", index=host.index)
    for depth in DEPTHS:
        assert two.envsync("check", "--depth", depth).code == 0
    assert two.envsync("verify").code == 0
    assert (host.directory / "root" / "web").readlink().parts[-2] == "1"


def test_a_snapshot_is_judged_in_a_checkout_at_a_different_path(host: Host) -> None:
    one, two = checkout(host, "one", word="one"), checkout(host, "two", word="two")
    one.apply()
    shutil.copytree(one.directory / "locks", two.directory / "locks")
    assert one.envsync("observe", "--out", "../snapshot.json").code == 0
    assert two.envsync("check", "--actual", "../snapshot.json").code == 0, "the judging machine has its own paths"
    shutil.rmtree(one.directory)
    assert two.envsync("observe", "--out", "../snapshot.json").code == 0
    ran = two.envsync("check", "--actual", "../snapshot.json", "--output", "json")
    assert ran.code == 2
    assert {each["code"] for each in ran.json()["environments"][0]["findings"]} == {"editable-missing"}
