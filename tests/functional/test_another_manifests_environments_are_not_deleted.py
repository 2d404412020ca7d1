"""Two manifests with one `project` and one root: each leaves alone what the other one made."""

import json
import subprocess
from pathlib import Path

import pytest

from tests.functional.host_state import finished, planned, published
from tests.host import Host

TEXT = """\
version: 1
project: {project}
root: {root}
indexes:
  - name: local
    url: {url}
environments:
{environments}"""
ONE = '  {name}: {{python: "3.11", packages: [{package}]}}\n'


def write(
    host: Host, file: str, *names: str, project: str = "acme", root: Path | str = "", package: str = "beta"
) -> None:
    """Write a manifest below the host's directory."""
    path = host.directory / file
    path.parent.mkdir(parents=True, exist_ok=True)
    environments = "".join(ONE.format(name=name, package=package) for name in names)
    root = root or host.root
    path.write_text(TEXT.format(project=project, root=root, url=host.index.url, environments=environments))


def joined(text: str) -> str:
    """Return wrapped text with single spaces."""
    return " ".join(text.split())


@pytest.fixture
def two(host: Host) -> Host:
    """Return a host with the manifests a/envs.yaml, which declares `web` and was applied, and b/envs.yaml (`api`)."""
    write(host, "a/envs.yaml", "web")
    write(host, "b/envs.yaml", "api")
    assert host.envsync("apply", "--yes", "-f", "a/envs.yaml").code == 0
    return host


def test_an_apply_with_the_other_manifest_deletes_nothing_and_names_the_first(two: Host) -> None:
    ran = two.envsync("apply", "--yes", "-f", "b/envs.yaml")
    assert ran.code == 4
    assert f"blocked: applied from {two.directory}/a/envs.yaml" in joined(ran.out)
    assert "no longer in envs.yaml" not in ran.out
    command = "`envsync destroy -f b/envs.yaml web --take-over`"
    hint = f"hint: give each manifest its own `project`; to delete `web`, run {command}"
    assert hint in joined(ran.out)
    assert (published(two, "web"), published(two, "api")) == (1, 1)


def test_destroy_and_no_prune_leave_it_as_well(two: Host) -> None:
    ran = two.envsync("destroy", "web", "--yes", "-f", "b/envs.yaml", "--output", "json")
    assert ran.code == 4
    assert finished(ran)["web"]["failure"]["code"] == "other-manifest"
    assert two.envsync("apply", "--yes", "--no-prune", "-f", "b/envs.yaml").code == 0
    assert published(two, "web") == 1


def test_an_own_deletion_does_not_wait_for_what_belongs_to_the_other(two: Host) -> None:
    write(two, "b/envs.yaml", "api", "old")
    assert two.envsync("apply", "--yes", "-f", "b/envs.yaml").code == 4
    write(two, "b/envs.yaml", "api")
    assert two.envsync("apply", "--yes", "-f", "b/envs.yaml").code == 4
    assert (published(two, "old"), published(two, "web")) == (0, 1)


def test_take_over_deletes_it_and_it_can_be_restored(two: Host) -> None:
    ran = two.envsync("apply", "--yes", "--take-over", "-f", "b/envs.yaml")
    assert ran.code == 0, ran.out
    assert published(two, "web") == 0
    assert two.envsync("rollback", "web", "-f", "a/envs.yaml").code == 0
    assert published(two, "web") == 1


def test_take_over_is_part_of_a_saved_plan(two: Host) -> None:
    assert two.envsync("lock", "-f", "b/envs.yaml").code == 0
    assert two.envsync("plan", "--take-over", "--out", "plan.json", "-f", "b/envs.yaml").code == 0
    assert two.envsync("apply", "--plan", "plan.json", "--take-over", "-f", "b/envs.yaml").code == 3
    assert two.envsync("apply", "--plan", "plan.json", "-f", "b/envs.yaml").code == 0
    assert published(two, "web") == 0


def test_what_both_declare_belongs_to_the_one_that_changed_it_last(two: Host) -> None:
    write(two, "b/envs.yaml", "web")
    assert two.envsync("check", "-f", "b/envs.yaml").code == 2  # no lock yet
    assert two.envsync("lock", "-f", "b/envs.yaml").code == 0
    for file in ("a/envs.yaml", "b/envs.yaml", "a/envs.yaml"):
        ran = two.envsync("check", "-f", file)
        assert (ran.code, ran.err) == (0, ""), "nothing differs, and nothing is said"
    write(two, "b/envs.yaml", "web", package="gamma")
    assert two.envsync("lock", "-f", "b/envs.yaml").code == 0
    plan = planned(two, "-f", "b/envs.yaml")["web"]
    assert plan["hints"] == [
        f"declare `web` in one manifest only: it was last applied from {two.directory}/a/envs.yaml"
    ]
    assert two.envsync("apply", "--yes", "-f", "b/envs.yaml").code == 0
    write(two, "a/envs.yaml", "other")
    assert planned(two, "-f", "a/envs.yaml")["web"]["blocked"][0]["code"] == "other-manifest"


def test_take_over_records_it_without_a_build(two: Host) -> None:
    write(two, "b/envs.yaml", "web")
    assert two.envsync("lock", "-f", "b/envs.yaml").code == 0
    plan = planned(two, "--take-over", "-f", "b/envs.yaml")["web"]
    assert [each["kind"] for each in plan["steps"]] == ["record"]
    assert two.envsync("apply", "--yes", "--take-over", "-f", "b/envs.yaml").code == 0
    assert not planned(two, "--take-over", "-f", "b/envs.yaml")["web"]["steps"]
    write(two, "b/envs.yaml", "api")
    assert planned(two, "-f", "b/envs.yaml")["web"]["blocked"] == []


def test_a_second_manifest_in_one_directory_is_a_different_one(host: Host) -> None:
    write(host, "envs.yaml", "web")
    write(host, "staging.yaml", "api")
    host.apply()
    ran = host.envsync("plan", "-f", "staging.yaml")
    assert f"x web blocked: applied from {host.directory}/envs.yaml" in joined(ran.out)


def test_a_directory_that_was_moved_with_its_root_is_the_same(host: Host) -> None:
    write(host, "a/envs.yaml", "web", "old", root=".envs")
    assert host.envsync("apply", "--yes", "-f", "a/envs.yaml").code == 0
    (host.directory / "a").rename(host.directory / "moved")
    write(host, "moved/envs.yaml", "web", root=".envs")
    refused = host.envsync("plan", "-f", "moved/envs.yaml")
    assert (refused.code, "was not made by envsync as this user at this place" in joined(refused.err)) == (1, True)
    assert host.envsync("trust", "-f", "moved/envs.yaml", "--yes").code == 0
    assert planned(host, "-f", "moved/envs.yaml")["old"]["blocked"] == []


def clone(directory: Path, url: str) -> None:
    """Make a git repository with a remote in a directory."""
    subprocess.run(["git", "init", "-q", directory], check=True)
    subprocess.run(["git", "-C", directory, "remote", "add", "origin", url], check=True)


def test_a_moved_checkout_is_recognized_by_its_repository(two: Host) -> None:
    clone(two.directory / "a", "https://user:secret@git.example/acme/envs.git")
    write(two, "a/envs.yaml", "web", package="gamma")
    assert two.envsync("apply", "--yes", "-f", "a/envs.yaml").code == 0
    record = (two.root / ".envsync/environments/web.json").read_text()
    assert "https://git.example/acme/envs.git envs.yaml" in record
    assert "secret" not in record
    (two.directory / "a").rename(two.directory / "c")
    write(two, "c/envs.yaml", "api")
    assert planned(two, "-f", "c/envs.yaml")["web"]["blocked"] == []
    clone(two.directory / "b", "https://git.example/acme/other.git")
    assert planned(two, "-f", "b/envs.yaml")["web"]["blocked"][0]["code"] == "other-manifest"


def test_a_second_working_tree_is_a_different_one(two: Host) -> None:
    for name in ("a", "b"):
        clone(two.directory / name, "https://git.example/acme/envs.git")
    write(two, "a/envs.yaml", "web", package="gamma")
    assert two.envsync("apply", "--yes", "-f", "a/envs.yaml").code == 0
    assert planned(two, "-f", "b/envs.yaml")["web"]["blocked"][0]["code"] == "other-manifest"


def test_a_changed_project_is_recognized(host: Host) -> None:
    write(host, "envs.yaml", "web", "old")
    host.apply()
    write(host, "envs.yaml", "web", project="corp")
    ran = host.envsync("plan")
    assert ran.out.count("blocked: `project` was `acme` when this was applied") == 2
    assert "hint: write `project: acme` again, or apply with `--take-over`" in ran.out
    assert host.envsync("apply", "--yes").code == 4
    assert (published(host, "web"), published(host, "old")) == (1, 1)
    ran = host.envsync("apply", "--yes", "--take-over")
    assert ran.code == 0, ran.out
    assert (published(host, "web"), published(host, "old")) == (1, 0)
    assert host.envsync("plan", "--detailed-exitcode").code == 0
    assert host.envsync("rollback", "old").code == 0


def test_a_changed_project_undone_makes_no_difference(host: Host) -> None:
    write(host, "envs.yaml", "web")
    host.apply()
    write(host, "envs.yaml", "web", project="corp")
    assert host.envsync("check").code == 2
    write(host, "envs.yaml", "web")
    assert host.envsync("check").code == 0


def test_a_changed_root_is_recognized(host: Host) -> None:
    write(host, "envs.yaml", "web", "jobs", root=".envs")
    host.apply()
    write(host, "envs.yaml", "web", root="environments")
    noted = (
        f"note: `jobs`, `web` were applied in `{host.root}` and stay there; to delete them, write `root: .envs` "
        "and run `envsync destroy jobs web`"
    )
    assert noted in host.envsync("plan").err
    ran = host.envsync("apply", "--yes")
    assert noted in ran.err
    assert noted not in host.envsync("plan").err, "it is said only before the first apply below the new root"
    write(host, "envs.yaml", "web", root=".envs")
    assert host.envsync("destroy", "jobs", "web", "--yes").code == 0


def test_the_plan_of_a_snapshot_says_the_same(two: Host) -> None:
    assert two.envsync("apply", "--yes", "-f", "b/envs.yaml").code == 4
    assert two.envsync("observe", "--out", "host.json", "-f", "b/envs.yaml").code == 0
    ran = two.envsync("plan", "--actual", "host.json", "-f", "b/envs.yaml")
    assert f"x web blocked: applied from {two.directory}/a/envs.yaml" in joined(ran.out)


def test_releases_are_one_manifest_if_it_is_named_by_the_link_that_means_the_current_one(host: Host) -> None:
    write(host, "releases/1/envs.yaml", "web", "old")
    write(host, "releases/2/envs.yaml", "web")
    link = host.directory / "current"
    link.symlink_to("releases/1")
    in_release = Host(directory=host.directory / "releases/1", index=host.index)
    assert in_release.envsync("apply", "--yes").code == 0
    link.unlink()
    link.symlink_to("releases/2")
    in_release.directory = host.directory / "releases/2"
    assert in_release.envsync("lock").code == 0
    old = next(each for each in json.loads(in_release.envsync("plan", "--output", "json").out)["environments"])
    assert [each["code"] for each in old["blocked"]] == ["other-manifest"]
    command = f"envsync apply -f {link}/envs.yaml --take-over"
    assert f"`{command}`" in old["hints"][0]
    assert in_release.envsync(*command.split()[1:], "--yes").code == 0
    assert (published(host, "web"), published(host, "old")) == (1, 0)
    write(host, "releases/2/envs.yaml", "web", "new")
    by_shell = {"PWD": str(link)}
    assert in_release.envsync("apply", "--yes", env=by_shell).code == 0
    assert "current/envs.yaml" in (host.root / ".envsync/environments/new.json").read_text()
    write(host, "releases/2/envs.yaml", "web")
    assert in_release.envsync("apply", "--yes").code == 0, "the link means this release"
    assert published(host, "new") == 0
