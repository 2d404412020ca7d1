"""`history`, `rollback`, `verify`, `gc`: older generations are kept, compared with their seals, published again."""

import json
import os
import pwd
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.functional.host_state import generations
from tests.host import Host, new_host, put_back
from tests.state.edited import edit_state_file

OLD = 'web:\n  python: "3.11"\n  packages: [alpha==1.0]\n'
NEW = 'web:\n  python: "3.11"\n  packages: [alpha==1.1]\n'


def apply_twice(host: Host) -> None:
    """Apply `web` with alpha 1.0, then with alpha 1.1."""
    for manifest in (OLD, NEW):
        host.manifest(manifest)
        host.apply()


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    """A host on which `web` was applied twice."""
    with new_host(tmp_path_factory.mktemp("host")) as host:
        apply_twice(host)
        yield host


@pytest.fixture
def twice(made: Host) -> Iterator[Host]:
    """Yield that host, and put everything back after the test."""
    with put_back(made) as host:
        yield host


def test_rollback_publishes_the_generation_before_without_building_or_network(twice: Host) -> None:
    twice.index.broken["*"] = 500
    before = twice.root / ".envsync/generations/web/1"
    inode = before.stat().st_ino
    ran = twice.envsync("rollback", "web")
    assert (ran.code, ran.out) == (0, "web: generation 1 is published again, generation 2 is kept\n")
    assert "alpha==1.0" in twice.freeze("web")
    assert before.stat().st_ino == inode
    assert sorted(os.listdir(before.parent)) == ["1", "2"]


def test_a_rollback_skips_what_drifted_and_takes_the_newest_sound_generation(twice: Host) -> None:
    edit(next(twice.venv("web").glob("lib/python3*/site-packages/beta.py")))
    twice.apply()  # the repair, generation 3; 2 had drifted
    ran = twice.envsync("rollback", "web")
    assert (ran.code, ran.out) == (0, "web: generation 1 is published again, generation 3 is kept\n"), ran.err
    assert "note: `web`: generation 2 was replaced because it had drifted, and was skipped\n" in ran.err
    listed = twice.envsync("history", "web", "--generations").out.splitlines()
    assert [line.split()[-1] for line in listed[1:4]] == ["published", "drifted", "kept"]
    ran = twice.envsync("rollback", "web", "--to", "2", "--no-rebuild")
    assert ran.code == 1
    assert "generation 2 of `web` differs from its seal: `beta`: 1 file edited" in ran.err
    assert "hint: run without `--no-rebuild` to rebuild it from its lock" in ran.err


def test_a_rollback_skips_a_generation_that_was_damaged_since(twice: Host) -> None:
    twice.manifest('web:\n  python: "3.11"\n  packages: [alpha==1.1, gamma]\n')
    twice.apply()
    edit(twice.root / ".envsync/generations/web/2/venv/bin/activate")
    ran = twice.envsync("rollback", "web")
    assert (ran.code, ran.out) == (0, "web: generation 1 is published again, generation 3 is kept\n"), ran.err
    assert "note: `web`: generation 2 differs from its seal: " in ran.err


def test_generations_that_drifted_push_no_sound_one_out(host: Host) -> None:
    apply_twice(host)
    for _ in range(4):
        edit(next(host.venv("web").glob("lib/python3*/site-packages/alpha/__init__.py")))
        host.apply()
    assert generations(host, "web") == [1, 5, 6], "the newest that drifted is kept for inspection"
    assert host.envsync("rollback", "web").code == 0
    assert "alpha==1.0" in host.freeze("web")


def edit(file: Path) -> None:
    """Edit a file in place of its name only, so that no other generation is edited with it."""
    content = file.read_bytes()
    file.unlink()
    file.write_bytes(content + b"# fixed manually\n")


def test_the_plan_then_names_the_rollback_as_the_reason(twice: Host) -> None:
    ran = twice.envsync("rollback", "web", "--output", "json")
    done = json.loads(ran.out)
    assert (ran.code, done["action"], done["generation"], done["replaced"]) == (0, "rollback", 1, 2)
    assert done["next"] == {"action": "update", "reasons": ["rolled-back", "lock-changed"], "blocked": []}
    assert ran.err == "hint: change the manifest as well, or the next `apply` undoes the rollback\n"
    planned = twice.envsync("plan", "--output", "json").json()["environments"][0]
    assert planned["reasons"][0]["code"] == "rolled-back"
    assert planned["reasons"][0]["message"] == "rolled back from generation 2 to 1"
    assert [(each["name"], each["action"]) for each in planned["packages"]] == [("alpha", "upgrade")]
    twice.apply()
    assert "alpha==1.1" in twice.freeze("web")


def test_a_manifest_that_declares_the_rolled_back_versions_makes_no_difference(twice: Host) -> None:
    assert twice.envsync("rollback", "web").code == 0
    twice.manifest(OLD)
    assert twice.envsync("lock").code == 0
    assert twice.environment("web")["action"] == "no-op"
    assert twice.envsync("rollback", "web", "--to", "2").code == 0
    ran = twice.envsync("rollback", "web", "--to", "1", "--output", "json")
    assert json.loads(ran.out)["next"] == {"action": "no-op", "reasons": [], "blocked": []}
    assert ran.err == "note: `web` matches `envs.yaml`, so the next `apply` does not undo the rollback\n"


def test_a_rollback_says_what_the_next_apply_does(twice: Host) -> None:
    twice.manifest(OLD.replace("web:", "job:"))
    ran = twice.envsync("rollback", "web")
    assert ran.out == "web: generation 1 is published again, generation 2 is kept\n"
    assert ran.err == "hint: declare `web` in `envs.yaml`, or the next `apply` deletes it\n"
    twice.manifest(NEW + "  requirements: [missing.txt]\n")
    ran = twice.envsync("rollback", "web", "--to", "2", "--output", "json")
    assert (ran.code, json.loads(ran.out)["next"]) == (0, None), "a manifest that is invalid stops no rollback"
    assert ran.err == "hint: change the manifest as well, or the next `apply` undoes the rollback\n"


def test_a_damaged_generation_is_not_published(twice: Host) -> None:
    generation = twice.root / ".envsync/generations/web/1/venv"
    module = next(generation.glob("lib/python3*/site-packages/alpha/__init__.py"))
    module.unlink()
    module.write_text("NAME = 'evil'\n")
    ran = twice.envsync("rollback", "web", "--no-rebuild")
    assert ran.code == 1
    assert "no sound generation older than the published one: generation 1 differs from its seal: `alpha`" in ran.err
    assert "alpha==1.1" in twice.freeze("web")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["web", "--to", "7"], "environment `web` has no generation 7"),
        (["web", "--to", "2"], "generation 2 of `web` is already published"),
        (["other"], "environment `other` was never applied in this root"),
        (["wbe"], "did you mean `web`?"),
    ],
)
def test_a_generation_that_cannot_be_published_again_is_invalid_input(
    twice: Host, arguments: list[str], message: str
) -> None:
    ran = twice.envsync("rollback", *arguments)
    assert ran.code == 3
    assert message in ran.err


def test_rolling_back_the_first_generation_says_that_no_older_one_exists(host: Host) -> None:
    host.manifest(OLD)
    host.apply()
    ran = host.envsync("rollback", "web")
    assert ran.code == 3
    assert "environment `web` has no generation older than the published one (1)" in ran.err


def test_prevent_destroy_is_kept_by_a_rollback(host: Host) -> None:
    host.manifest(OLD)
    host.apply()
    host.manifest(NEW + "  prevent_destroy: true\n")
    host.apply()
    assert host.envsync("rollback", "web").code == 0
    assert host.envsync("destroy", "web", "--yes").code == 4
    assert host.venv("web").exists()


def test_history_shows_what_each_run_did_and_which_generations_are_kept(twice: Host) -> None:
    assert twice.envsync("rollback", "web").code == 0
    user = os.environ.get("USER") or pwd.getpwuid(os.getuid()).pw_name
    for arguments in ([], ["web", "--runs"]):
        runs = [line.split() for line in twice.envsync("history", *arguments).out.splitlines()[1:]]
        assert [line[4] for line in runs] == ["create", "update", "rollback"]
        assert {line[2] for line in runs} == {user}
    listed = twice.envsync("history", "web", env={"TZ": "Asia/Kolkata"}).out
    rows = [line.split() for line in listed.splitlines()[1:]]
    assert [row[0] for row in rows] == ["*", "2"], "the oldest first"
    assert [row[-1] for row in rows] == ["published", "kept"]
    assert [row[-4] for row in rows] == [user, user]
    assert all(row[-5].endswith("+05:30") for row in rows)
    assert twice.envsync("history", "web", "--generations", env={"TZ": "Asia/Kolkata"}).out == listed
    assert twice.envsync("history", "web", "--generations", "--runs").code == 3


def test_a_refused_rollback_names_each_file_that_differs(twice: Host) -> None:
    site = next((twice.root / ".envsync/generations/web/1/venv/lib").glob("python3*/site-packages"))
    (site / "stray.pth").write_text("")
    (site.parents[2] / "notes.txt").write_text("")
    ran = twice.envsync("rollback", "web", "--no-rebuild")
    assert ran.code == 1
    for name in ("stray.pth", "notes.txt"):
        assert f"{name}`: not part of the generation" in ran.err


def test_verify_compares_with_the_seal_and_not_with_the_manifest(twice: Host) -> None:
    assert twice.envsync("verify").code == 0
    twice.manifest(OLD)
    assert twice.envsync("verify").code == 0, "a pending change is not damage"
    (twice.site_packages("web") / "beta.py").write_text("NAME = 'mine'\n")
    (twice.site_packages("web") / "stray.pth").write_text("")
    ran = twice.envsync("verify", "--output", "json")
    assert ran.code == 2
    assert "1 file edited" in twice.envsync("verify").out
    assert "stray.pth" in ran.out


@pytest.mark.parametrize(
    ("edit", "problem"),
    [
        (lambda seal: edit_state_file(seal, {"plan": "other"}), "its seal differs from the one that was applied"),
        (lambda seal: seal.write_text(seal.read_text().replace('"plan":"', '"plan":"x')), "seal.json` is damaged"),
    ],
    ids=["by envsync", "by an editor"],
)
def test_verify_and_plan_agree_on_a_seal_that_was_edited(
    edit: Callable[[Path], object], problem: str, twice: Host
) -> None:
    edit(twice.root / ".envsync/generations/web/2/seal.json")
    assert [each["code"] for each in twice.environment("web")["reasons"]] == ["environment-damaged"]
    ran = twice.envsync("verify")
    assert ran.code == 2
    assert problem in " ".join(ran.out.split())


def test_verify_uses_the_settings_of_the_last_apply(twice: Host) -> None:
    (twice.site_packages("web") / "stray.pth").write_text("")
    assert twice.envsync("verify").code == 2
    twice.manifest(NEW + '  ignore_files: ["**/stray.pth"]\n')
    assert twice.envsync("verify").code == 2, "the manifest has it, but it is not applied yet"
    twice.apply()
    assert sorted(os.listdir(twice.root / ".envsync/generations/web")) == ["1", "2"], "nothing was built"
    assert twice.envsync("verify").code == 0


def test_gc_keeps_the_newest_generations_and_shows_with_dry_run_what_it_would_delete(host: Host) -> None:
    for version in ("1.0", "1.1", "1.0"):
        host.manifest(f'web:\n  python: "3.11"\n  packages: [alpha=={version}]\n')
        host.apply()
    assert generations(host, "web") == [1, 2, 3]
    host.manifest('web:\n  python: "3.11"\n  packages: [alpha==1.0]\n  keep_generations: 1\n')
    assert host.envsync("apply", "--yes", "--no-gc").code == 0
    shown = host.envsync("gc", "--dry-run").out
    assert shown == "web: generation 1 would be deleted\nweb: generation 2 would be deleted\n"
    assert generations(host, "web") == [1, 2, 3]
    assert host.envsync("gc").out == shown.replace("would be deleted", "deleted")
    assert generations(host, "web") == [3]
    assert host.envsync("gc").out == "No generations to delete.\n"


def test_gc_never_follows_a_link_out_of_the_root(host: Host, tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    (precious / "1").mkdir(parents=True)
    (precious / "1" / "thesis.txt").write_text("mine")
    host.manifest(OLD)
    host.apply()
    (host.root / ".envsync/generations/ghost").symlink_to(precious)
    ran = host.envsync("gc")
    assert (ran.code, ran.out) == (1, "ghost: generation 1 kept: its path goes through a symbolic link\n")
    assert (precious / "1" / "thesis.txt").read_text() == "mine"
