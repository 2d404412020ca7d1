"""What prune or destroy deleted can be restored with `rollback` until `keep_deleted` is over."""

import datetime as dt
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.functional.host_state import generations, planned, published
from tests.host import Host, Ran, new_host, put_back
from tests.state.edited import edit_state_file

WEB = 'web:\n  python: "3.11"\n  packages: [%s]\n  keep_generations: 2\n'
JOBS = 'jobs:\n  python: "3.11"\n  packages: [beta]\n'


def delete(host: Host) -> None:
    """Apply `web` three times, with two generations kept, and then prune it."""
    for packages in ("beta", "alpha==1.0", "alpha==1.1"):
        host.manifest(WEB % packages + JOBS)
        host.apply()
    assert generations(host, "web") == [2, 3]
    host.manifest(JOBS)
    host.apply()
    assert published(host, "web") == 0


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    """A host with `web` deleted."""
    with new_host(tmp_path_factory.mktemp("host")) as host:
        delete(host)
        yield host


@pytest.fixture
def deleted(made: Host) -> Iterator[Host]:
    """Yield that host, and put everything back after the test."""
    with put_back(made) as host:
        yield host


def deleted_file(host: Host, name: str = "web") -> Path:
    return host.root / f".envsync/deleted/{name}.json"


def expire(host: Host) -> None:
    """Change the time until which `web` is kept, as if it were over."""
    over = (dt.datetime.now(dt.UTC) - dt.timedelta(minutes=1)).isoformat()
    edit_state_file(deleted_file(host), {"keep_until": over})


def restore(host: Host, *arguments: str) -> Ran:
    ran = host.envsync("rollback", "web", *arguments)
    assert ran.code == 0, ran.err
    return ran


def test_apply_says_how_to_restore_and_until_when(host: Host) -> None:
    host.manifest(WEB % "beta")
    host.apply()
    host.manifest("")
    until = (dt.datetime.now(dt.UTC) + dt.timedelta(days=7)).date()
    ran = host.envsync("apply", "--yes", "--allow-empty")
    assert "hint: run `envsync rollback web` to restore it, for 7 days after the deletion" in ran.out
    assert f"(can be restored with `envsync rollback web` until {until})" in ran.err


def test_all_that_was_retained_is_kept_and_the_published_one_is_restored(deleted: Host) -> None:
    assert generations(deleted, "web") == [2, 3]
    ran = restore(deleted)
    assert ran.out == "web: restored, generation 3 is published again\n"
    assert "hint: declare `web` in `envs.yaml`, or the next `apply` deletes it" in ran.err
    assert "alpha==1.1" in deleted.freeze("web")
    assert not deleted_file(deleted).exists()
    plan = planned(deleted)["web"]
    assert (plan["action"], [each["code"] for each in plan["reasons"]]) == ("delete", ["not-in-manifest"])
    deleted.manifest(WEB % "alpha==1.1" + JOBS)
    assert not deleted.check()["difference"], "nothing is built again"


def test_an_older_generation_is_restored_if_it_is_named(deleted: Host) -> None:
    assert restore(deleted, "--to", "2").out == "web: restored, generation 2 is published again\n"
    assert "alpha==1.0" in deleted.freeze("web")
    assert restore(deleted, "--to", "3").out == "web: generation 3 is published again, generation 2 is kept\n"


def test_the_hooks_of_a_restored_environment_run_with_the_next_apply(host: Host) -> None:
    hooked = WEB % "beta" + '  hooks: {after_publish: [["touch", "ran"]]}\n'
    host.manifest(hooked + JOBS)
    host.apply()
    host.manifest(JOBS)
    host.apply()
    restore(host)
    host.manifest(hooked + JOBS)
    assert [each["code"] for each in planned(host)["web"]["reasons"]] == ["hooks-pending"]
    host.apply()


def test_the_record_comes_back_as_it_was(host: Host) -> None:
    host.manifest(WEB % "beta" + JOBS)
    host.apply()
    host.manifest(WEB % "beta" + "  description: newer than the seal\n" + JOBS)
    host.apply()
    record = host.root / ".envsync/environments/web.json"
    before = record.read_text()
    host.manifest(JOBS)
    host.apply()
    restore(host)
    assert record.read_text() == before


def test_status_says_what_can_be_restored_and_history_shows_it(deleted: Host) -> None:
    ran = deleted.envsync("status")
    assert "web" not in ran.out
    until = json.loads(deleted_file(deleted).read_text())["keep_until"][:10]
    assert f"note: deleted, can be restored with `envsync rollback NAME`: `web` until {until}" in ran.err
    assert "delete" in deleted.envsync("history", "web", "--runs").out
    listed = json.loads(deleted.envsync("history", "web", "--generations", "--output", "json").out)
    assert [(each["number"], each["published"]) for each in listed] == [(2, False), (3, False)]
    restore(deleted)
    assert "restore" in deleted.envsync("history").out
    assert "note" not in deleted.envsync("status").err


def test_the_quick_answer_is_still_given(host: Host) -> None:
    from reconciler.fastpath.unchanged import count_unchanged

    delete(host)
    file = str(host.directory / "envs.yaml")
    assert not host.check()["difference"]
    assert count_unchanged(file, files=True) == 1
    (host.root / "web").symlink_to(".envsync/generations/web/3/venv")
    assert count_unchanged(file, files=True) == 0, "it is published, so it would be deleted"


def test_a_damaged_generation_is_not_restored(deleted: Host) -> None:
    module = next((deleted.root / ".envsync/generations/web/3/venv").glob("lib/python3*/site-packages/alpha/*.py"))
    module.unlink()
    module.write_text("NAME = 'evil'\n")
    ran = deleted.envsync("rollback", "web", "--no-rebuild")
    assert ran.code == 1
    assert "generation 3 of `web` differs from its seal: `alpha`: 1 file edited" in ran.err
    assert (published(deleted, "web"), deleted_file(deleted).exists()) == (0, True)
    ran = deleted.envsync("rollback", "web")
    assert (ran.code, ran.out) == (0, "web: restored, generation 4, rebuilt from generation 3, is published again\n")
    assert not deleted_file(deleted).exists()
    assert "evil" not in (deleted.site_packages("web") / "alpha/__init__.py").read_text()


@pytest.mark.parametrize("kind", ["directory", "symlink", "file"])
def test_what_is_at_the_path_by_then_is_not_replaced(deleted: Host, kind: str) -> None:
    path = deleted.root / "web"
    match kind:
        case "directory":
            path.mkdir()
        case "symlink":
            path.symlink_to("/usr")
        case _:
            path.write_text("mine")
    before = path.lstat()
    ran = deleted.envsync("rollback", "web")
    assert ran.code == 1
    assert f"`{path}` is not managed by envsync" in ran.err
    after = path.lstat()
    assert (after.st_ino, after.st_mode, after.st_mtime_ns) == (before.st_ino, before.st_mode, before.st_mtime_ns)
    assert deleted_file(deleted).exists()
    assert not (deleted.root / ".envsync/environments/web.json").exists()


def test_another_project_that_has_the_name_by_then_keeps_it(deleted: Host) -> None:
    mine = (deleted.directory / "envs.yaml").read_text()
    other = deleted.directory / "other.yaml"
    deleted.manifest(WEB % "gamma")
    other.write_text((deleted.directory / "envs.yaml").read_text().replace("project: acme", "project: other"))
    (deleted.directory / "envs.yaml").write_text(mine)
    ran = deleted.envsync("rollback", "web", "-f", "other.yaml")
    assert ran.code == 3
    assert "project `acme` owns `web` in the same root" in ran.err
    assert deleted.envsync("apply", "--yes", "-f", "other.yaml").code == 0
    assert published(deleted, "web") == 4, "the numbers continue"
    ran = deleted.envsync("rollback", "web")
    assert ran.code == 3
    assert "project `other` owns `web` in the same root" in ran.err
    ran = deleted.envsync("rollback", "web", "-f", "other.yaml")
    assert ran.code == 3
    assert "environment `web` has no generation older than the published one (4)" in ran.err


def test_a_new_environment_of_the_name_ends_it_and_its_generations_count_as_older_ones(deleted: Host) -> None:
    deleted.manifest(WEB % "beta" + JOBS)
    deleted.apply()
    assert not deleted_file(deleted).exists()
    assert (published(deleted, "web"), generations(deleted, "web")) == (4, [3, 4])
    assert deleted.envsync("rollback", "web").out == "web: generation 3 is published again, generation 4 is kept\n"


def test_what_expired_is_collected_and_cannot_be_restored(deleted: Host) -> None:
    assert deleted.envsync("gc").out == "No generations to delete.\n"
    expire(deleted)
    assert deleted.envsync("gc", "--dry-run").out.count("would be deleted") == 2
    assert generations(deleted, "web") == [2, 3]
    assert deleted.envsync("gc").code == 0
    assert (generations(deleted, "web"), deleted_file(deleted).exists()) == ([], False)
    assert not (deleted.root / ".envsync/generations/web").exists()
    ran = deleted.envsync("rollback", "web")
    assert ran.code == 3
    assert "never applied in this root" in ran.err


def test_an_apply_collects_what_expired(deleted: Host) -> None:
    expire(deleted)
    deleted.apply()
    assert (generations(deleted, "web"), deleted_file(deleted).exists()) == ([], False)


def test_gc_deleted_deletes_it_for_good(deleted: Host) -> None:
    assert deleted.envsync("gc", "--deleted", "--dry-run").out.count("would be deleted") == 2
    assert (generations(deleted, "web"), deleted_file(deleted).exists()) == ([2, 3], True)
    ran = deleted.envsync("gc", "--deleted")
    assert (ran.code, ran.out.count("deleted")) == (0, 2)
    assert (generations(deleted, "web"), deleted_file(deleted).exists()) == ([], False)
    assert generations(deleted, "jobs") == [1]


def test_gc_deleted_leaves_those_of_other_projects(deleted: Host) -> None:
    manifest = deleted.directory / "envs.yaml"
    (deleted.directory / "other.yaml").write_text(manifest.read_text().replace("project: acme", "project: other"))
    assert deleted.envsync("gc", "--deleted", "-f", "other.yaml").out == "No generations to delete.\n"
    assert generations(deleted, "web") == [2, 3]


@pytest.mark.parametrize("none", ["0", "0 days"])
def test_nothing_is_kept_if_the_manifest_says_so(host: Host, none: str) -> None:
    head = f"keep_deleted: {none}\n"
    host.manifest(WEB % "beta" + JOBS, head=head)
    host.apply()
    host.manifest(JOBS, head=head)
    ran = host.apply()
    assert "can be restored" not in ran.err
    assert generations(host, "web") == []
    assert host.envsync("rollback", "web").code == 3


def test_a_file_that_cannot_be_read_keeps_the_generations(deleted: Host) -> None:
    deleted_file(deleted).write_text("{")
    ran = deleted.envsync("gc")
    assert ran.code == 1
    assert "generation 3 kept" in ran.out
    assert "deleted/web.json` is damaged" in ran.out
    assert generations(deleted, "web") == [2, 3]
    assert deleted.envsync("rollback", "web").code == 1
    deleted_file(deleted).unlink()
    assert deleted.envsync("gc").code == 0
    assert generations(deleted, "web") == []


@pytest.mark.parametrize(
    ("change", "code", "problem"),
    [
        (('"format":1', '"format":2'), "newer-format", "was made by a newer envsync"),
        (('"format":1', '"format":'), "state-unreadable", "is damaged"),
        (('"keep_until":"2', '"keep_until":"9'), "state-unreadable", "is damaged"),
    ],
)
def test_its_name_is_not_used_again_while_the_file_cannot_be_read(
    deleted: Host, change: tuple[str, str], code: str, problem: str
) -> None:
    file = deleted_file(deleted)
    readable = file.read_text()
    file.write_text(readable.replace(*change))
    deleted.manifest(WEB % "beta" + JOBS.replace("beta", "alpha==1.0"))
    ran = deleted.envsync("apply", "--yes")
    assert ran.code == 4
    assert f"deleted/web.json` {problem}" in " ".join(ran.out.split())
    blocked = {name: [why["code"] for why in each["blocked"]] for name, each in planned(deleted).items()}
    assert blocked == {"jobs": [], "web": [code]}
    assert (published(deleted, "web"), published(deleted, "jobs")) == (0, 2), "no other environment is affected"
    assert file.read_text() != readable
    file.write_text(readable)
    deleted.apply()
    assert generations(deleted, "web") == [3, 4], "the numbers continue"


def test_destroy_is_undone_in_the_same_way(host: Host) -> None:
    host.manifest(WEB % "beta")
    host.apply()
    ran = host.envsync("destroy", "web", "--yes")
    assert "can be restored with `envsync rollback web` until" in ran.err
    ran = host.envsync("rollback", "web")
    assert (ran.code, ran.err) == (0, "")
    assert not host.check()["difference"]


def test_an_environment_whose_link_was_removed_manually_is_published_again(host: Host) -> None:
    host.manifest(WEB % "beta")
    host.apply()
    (host.root / "web").unlink()
    assert host.envsync("rollback", "web").code == 0
    assert not host.check()["difference"]
