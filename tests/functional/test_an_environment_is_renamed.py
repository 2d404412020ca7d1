"""`renamed_from` renames an environment: the same generations, no build, nothing deleted; every old path works."""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from reconciler.fastpath.unchanged import count_unchanged
from tests.functional.host_state import generations, last_run, planned, published, steps, tree
from tests.host import Host, new_host, put_back
from tests.wheels import make_wheel

OLD = 'web:\n  python: "3.11"\n  packages: [tool, alpha==%s]\n  keep_generations: %d\n'
NEW = 'site:\n  renamed_from: web\n  python: "3.11"\n  packages: [tool, alpha==%s]\n  keep_generations: %d\n'
ALPHA = "from importlib.metadata import version; print(version('alpha'))"
TOOL = "import sys\n\ndef main():\n    import alpha\n    print(sys.prefix)\n"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    """A host with two generations of `web`."""
    with new_host(tmp_path_factory.mktemp("host")) as host:
        make_wheel(
            host.directory.parent / "wheels", "tool", "1.0", modules={"tool.py": TOOL}, scripts={"tool": "tool:main"}
        )
        for version in ("1.0", "1.1"):
            host.manifest(OLD % (version, 3))
            host.apply()
        yield host


@pytest.fixture
def applied(made: Host) -> Iterator[Host]:
    """Yield that host, and put everything back after the test."""
    with put_back(made) as host:
        yield host


@contextmanager
def without_index(host: Host) -> Iterator[None]:
    """Hide the files of the index and the cache, so that nothing can be resolved or installed."""
    cache = host.root / ".envsync/cache/uv"
    moved = cache.with_name("uv.hidden")
    cache.rename(moved)
    wheels = host.directory.parent / "wheels"
    wheels.rename(wheels.with_name("hidden"))
    try:
        yield
    finally:
        wheels.with_name("hidden").rename(wheels)
        shutil.rmtree(cache, ignore_errors=True)
        moved.rename(cache)


def rename(host: Host, version: str = "1.1", keep: int = 3) -> None:
    host.manifest(NEW % (version, keep))
    host.apply()


def output(*argv: str | Path) -> str:
    return subprocess.run(argv, capture_output=True, text=True, check=True).stdout.strip()


def place(host: Host, name: str, number: int) -> Path:
    return host.root / ".envsync/generations" / name / str(number)


def answered_by_the_fast_path(host: Host) -> bool:
    """Return whether `check` without a difference needs no other modules than the fast path."""
    assert host.envsync("check").code == 0
    here = Path.cwd()
    try:
        return count_unchanged(str(host.directory / "envs.yaml"), files=True) > 0
    finally:
        os.chdir(here)


def test_the_same_generations_get_the_new_name_without_index_or_build(applied: Host) -> None:
    host = applied
    before = tree(place(host, "web", 2) / "venv")
    host.manifest(NEW % ("1.1", 3))
    with without_index(host):
        plan = planned(host, "--locked")
        assert list(plan) == ["site"]
        site = plan["site"]
        assert (site["action"], site["renamed_from"], site["generation"]) == ("rename", "web", 2)
        assert [each["code"] for each in site["reasons"]] == ["renamed"]
        assert steps(host, "site") == ["rename"]
        text = host.envsync("plan").out
        assert "-> site rename: renamed from `web`" in text
        assert "Plan: 1 to rename." in text
        assert "its lock is still in `pylock.web.toml`: run `envsync lock site` to rename it" in " ".join(text.split())
        assert host.envsync("check").code == 2
        ran = host.apply("--offline")
        assert "site: renamed" in ran.err
    assert tree(place(host, "web", 2) / "venv") == before
    assert (generations(host, "site"), generations(host, "web")) == ([1, 2], [])
    assert (published(host, "site"), published(host, "web")) == (2, 0)
    assert host.freeze("site") == ["alpha==1.1", "beta==2.0", "tool==1.0"]
    run = last_run(host)["environments"]
    assert [(each["name"], each["action"], each["renamed_from"]) for each in run] == [("site", "rename", "web")]
    runs = json.loads(host.envsync("history", "site", "--runs", "--output", "json").out)
    assert [[each["name"] for each in run["environments"]] for run in runs] == [["web"], ["web"], ["site"]]
    assert host.envsync("verify").code == 0
    assert host.envsync("check", "--depth", "hashes").code == 0
    assert answered_by_the_fast_path(host)
    assert {each.name for each in (host.root / ".envsync").glob("renaming.*")} == set()


def test_every_old_path_works_and_points_to_the_new_name(applied: Host) -> None:
    host = applied
    scripts = [place(host, "web", number) / "venv/bin/tool" for number in (1, 2)]
    rename(host)
    for number, script in enumerate(scripts, start=1):
        assert output(script) == str(place(host, "web", number) / "venv")
    assert output(host.root / "web/bin/python", "-c", ALPHA) == "1.1"
    activated = output("sh", "-c", f". {host.root}/site/bin/activate; python -c 'import tool, sys; print(sys.prefix)'")
    assert os.path.realpath(activated) == os.path.realpath(host.root / "site")
    ran = host.envsync("run", "site", "--", "tool")
    assert (ran.code, ran.out.strip()) == (0, str(place(host, "web", 2) / "venv"))
    ran = host.envsync("history", "web", "--generations")
    assert "hint: it was renamed to `site`" in ran.err
    ran = host.envsync("run", "web", "--", "tool")
    assert (ran.code, "environment `web` was renamed to `site`" in ran.err) == (125, True)
    back = host.envsync("rollback", "site", "--to", "1")
    assert back.code == 0, back.err
    assert "alpha==1.0" in host.freeze("site")
    host.apply()
    assert (generations(host, "site"), published(host, "site")) == ([1, 2, 3], 3)
    assert not place(host, "site", 3).is_symlink()


def test_collected_generations_point_to_what_is_published_and_nothing_is_left_after_the_delete(applied: Host) -> None:
    host = applied
    scripts = [place(host, "web", number) / "venv/bin/tool" for number in (1, 2)]
    running = subprocess.Popen(
        [place(host, "web", 2) / "venv/bin/python", "-c", "print(flush=True); input()"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert running.stdout is not None
    running.stdout.readline()
    rename(host, keep=1)
    for version in ("1.0", "1.1"):
        host.manifest(NEW % (version, 1))
        host.apply()
    assert generations(host, "site") == [2, 4], "a process that was started before the rename keeps its generation"
    assert host.root.joinpath("web").exists()
    running.communicate(b"\n")
    assert running.returncode == 0
    assert host.envsync("gc").code == 0
    assert (generations(host, "site"), generations(host, "web")) == ([4], [])
    for script in scripts:
        assert output(script) == str(place(host, "site", 4) / "venv")
    assert not os.path.lexists(host.root / "web"), "no generation is left whose scripts name it"
    assert answered_by_the_fast_path(host)
    assert host.envsync("destroy", "site", "--yes").code == 0
    assert host.envsync("rollback", "site").code == 0
    assert output(scripts[0]) == str(place(host, "site", 4) / "venv")
    host.envsync("destroy", "site", "--yes")
    assert host.envsync("gc", "--deleted").code == 0
    assert os.listdir(host.root / ".envsync/generations") == []
    assert sorted(os.listdir(host.root)) == [".envsync", ".gitignore"]


@pytest.mark.parametrize("problem", ["probe", "index", "lock"])
def test_a_failure_leaves_the_old_name_published_and_owned(applied: Host, problem: str) -> None:
    host = applied
    more = '  probes: [{run: ["false"]}]\n' if problem == "probe" else ""
    version = {"probe": "1.0", "index": "1.0", "lock": "99"}[problem]
    host.manifest(NEW % (version, 3) + more)
    if problem == "index":
        assert host.envsync("lock").code == 0
        with without_index(host):
            assert host.envsync("apply", "--yes").code == 1
    else:
        assert host.envsync("apply", "--yes").code == 1
    assert (published(host, "web"), published(host, "site")) == (2, 0)
    assert "alpha==1.1" in host.freeze("web")
    rename(host, "1.0")
    assert (generations(host, "site"), published(host, "web")) == ([1, 2, published(host, "site")], 0)
    assert "alpha==1.0" in host.freeze("site")


def test_the_lock_is_renamed_and_other_settings_change_with_the_name(applied: Host) -> None:
    host = applied
    locks = host.directory / "locks"
    content = (locks / "pylock.web.toml").read_bytes()
    host.manifest(NEW % ("1.1", 2) + "  description: the site\n")
    checked = host.envsync("lock", "--check")
    assert (checked.code, "the lock of `site` is still in `pylock.web.toml`" in checked.err) == (0, True)
    with without_index(host):
        ran = host.envsync("lock")
        assert ran.code == 0, ran.err
        assert "site: wrote pylock.site.toml, 3 packages" in ran.err
        assert "site: removed `pylock.web.toml`, which had its former name" in ran.err
        assert [each.name for each in locks.iterdir()] == ["pylock.site.toml"]
        assert (locks / "pylock.site.toml").read_bytes() == content
        assert steps(host, "site") == ["rename", "record"]
        host.apply()
    assert generations(host, "site") == [1, 2]
    host.manifest((NEW % ("1.1", 2)).replace("  renamed_from: web\n", "") + "  description: the site\n")
    assert not host.check()["difference"], "the key has no effect any more"


def test_both_names_and_a_new_environment_of_the_old_name(applied: Host) -> None:
    host = applied
    both = (NEW % ("1.1", 3)).replace("  renamed_from: web\n", "") + OLD % ("1.1", 3)
    rename(host)
    host.manifest(both)
    plan = planned(host)
    assert (plan["web"]["action"], plan["site"]["action"]) == ("create", "update")
    assert "former-name-taken" in [each["code"] for each in plan["site"]["reasons"]]
    alone = planned(host, "web")["web"]
    assert [each["code"] for each in alone["blocked"]] == ["name-in-use"]
    assert "apply them together: `envsync apply web site`" in alone["hints"]
    host.apply()
    assert (published(host, "site"), published(host, "web")) == (3, 3)
    assert (generations(host, "site"), generations(host, "web")) == ([1, 2, 3], [3])
    host.manifest(NEW % ("1.1", 3))
    plan = planned(host)
    assert (plan["site"]["action"], plan["web"]["action"]) == ("no-op", "delete")
    assert plan["site"]["notes"] == ["`renamed_from: web` has no effect, because both environments exist"]
    host.apply()
    assert published(host, "web") == 0
    assert output(place(host, "web", 1) / "venv/bin/tool") == str(place(host, "web", 1) / "venv")


def test_it_is_renamed_back_and_on(applied: Host) -> None:
    host = applied
    rename(host)
    host.manifest(NEW % ("1.0", 3))
    host.apply()
    host.manifest((OLD % ("1.0", 3)).replace("web:\n", "web:\n  renamed_from: site\n"))
    host.apply()
    assert (generations(host, "web"), published(host, "web"), generations(host, "site")) == ([1, 2, 3], 3, [])
    assert output(host.root / "site/bin/python", "-c", ALPHA) == "1.0"
    assert output(place(host, "site", 3) / "venv/bin/tool") == str(place(host, "site", 3) / "venv")
    third = (NEW % ("1.0", 3)).replace("site:", "shop:")
    host.manifest(third)
    host.apply()
    assert (generations(host, "shop"), published(host, "shop")) == ([1, 2, 3], 3)
    for name, number in (("web", 1), ("web", 2), ("site", 3)):
        assert output(place(host, name, number) / "venv/bin/tool") == str(place(host, name, number) / "venv")
    for name in ("web", "site", "shop"):
        assert output(host.root / name / "bin/python", "-c", ALPHA) == "1.0"
    assert host.envsync("verify").code == 0


def test_another_manifests_environment_is_not_renamed(applied: Host, tmp_path: Path) -> None:
    host = applied
    host.manifest(NEW % ("1.1", 3), head=f"root: {host.root}\n")
    (host.directory / "envs.yaml").rename(host.directory / "other.yaml")
    host.manifest(OLD % ("1.1", 3))
    ran = host.envsync("plan", "--output", "json", "-f", "other.yaml")
    site = ran.json()["environments"][0]
    assert (site["name"], site["action"]) == ("site", "rename")
    assert [each["code"] for each in site["blocked"]] == ["other-manifest"]
    assert host.envsync("apply", "--yes", "-f", "other.yaml").code == 4
    assert published(host, "web") == 2
    assert host.envsync("apply", "--yes", "-f", "other.yaml", "--take-over").code == 0
    assert (published(host, "site"), published(host, "web")) == (2, 0)


def test_a_saved_plan_and_a_snapshot_show_and_do_the_rename(applied: Host) -> None:
    host = applied
    snapshot = host.directory / "host.json"
    assert host.envsync("observe", "--out", str(snapshot)).code == 0
    host.manifest(NEW % ("1.1", 3))
    ran = host.envsync("check", "--actual", str(snapshot), "--output", "json")
    assert (ran.code, [each["action"] for each in ran.json()["environments"]]) == (2, ["rename"])
    assert host.envsync("plan", "--out", "plan.json").code == 0
    assert "-> site rename" in host.envsync("show", "plan.json").out
    assert host.envsync("apply", "--plan", "plan.json").code == 0
    assert not host.check()["difference"]
    assert published(host, "site") == 2


def test_numbers_of_a_deleted_environment_of_the_new_name_block_the_rename(applied: Host) -> None:
    host = applied
    host.manifest(OLD % ("1.1", 3) + (NEW % ("1.1", 3)).replace("  renamed_from: web\n", ""))
    host.apply()
    host.manifest(OLD % ("1.1", 3))
    host.apply()
    host.manifest(NEW % ("1.1", 3))
    record = host.root / ".envsync/environments/web.json"
    content = record.read_bytes()
    record.write_bytes(b"damaged")
    for selection in ((), ("site",)):
        site = planned(host, *selection)["site"]
        assert (site["action"], [each["code"] for each in site["blocked"]]) == ("rename", ["state-unreadable"])
    record.write_bytes(content)
    site = planned(host)["site"]
    assert [each["message"] for each in site["blocked"]] == [
        "`web` cannot be renamed: an earlier `site` also has generation 1"
    ]
    assert published(host, "web") == 2
    assert host.envsync("gc", "--deleted").code == 0
    host.apply()
    assert published(host, "site") == 2
