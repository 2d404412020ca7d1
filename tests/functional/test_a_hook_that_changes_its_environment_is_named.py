"""After hooks the environment is observed again: what they changed is named, and no apply repeats it forever."""

import json

import pytest

from tests.functional.host_state import finished, last_run, planned, published, steps
from tests.host import Host

WRITE = "import os, sys; d = sys.prefix + '/data'; os.makedirs(d, exist_ok=True); open(d + '/x', 'a').write('x')"
EDIT = "import beta; open(beta.__file__, 'a').write('# edited')"
INSTALL = (
    "import sys, glob, os; d = glob.glob(sys.prefix + '/lib/python3*/site-packages')[0] + '/extra-1.0.dist-info'; "
    "os.makedirs(d, exist_ok=True); open(d + '/METADATA', 'w').write('Name: extra' + chr(10) + 'Version: 1.0'); "
    "open(d + '/RECORD', 'w')"
)
START_AGAIN = "os.execve(sys.executable, ['python', '-c', 'import alpha, beta'], os.environ)"
COUNT = "import os; open(os.environ['LOG'], 'a').write('x')"


def manifest(host: Host, hook: str, *, version: str = "1.0", more: str = "", when: str = "after_publish") -> None:
    """Declare `web` with hooks that count their runs in a log outside, then run the Python code `hook`."""
    commands = ", ".join(f"[python, -c, {json.dumps(each)}]" for each in (COUNT, hook) if hook)
    host.manifest(
        f'web:\n  python: "3.11"\n  packages: [alpha=={version}]\n  link_mode: copy\n'
        f"  env: {{LOG: {json.dumps(str(host.directory / 'log'))}}}\n  hooks: {{{when}: [{commands}]}}\n{more}"
    )


def runs(host: Host) -> int:
    log = host.directory / "log"
    return len(log.read_text()) if log.exists() else 0


@pytest.mark.parametrize(
    ("hook", "named"), [(WRITE, "data/x"), (EDIT, "beta.py"), (INSTALL, "extra")], ids=["added", "edited", "installed"]
)
def test_a_change_by_a_hook_is_named_and_no_apply_repeats_it(host: Host, hook: str, named: str) -> None:
    manifest(host, hook)
    ran = host.envsync("apply", "--yes", "--output", "json")
    assert ran.code == 4
    web = finished(ran)["web"]
    assert (web["status"], web["failure"]["code"]) == ("hook-failed", "hook-changed-environment")
    assert named in web["failure"]["message"]
    assert "ignore_files" in web["failure"]["hint"]
    assert published(host, "web") == 1
    assert last_run(host)["exit_code"] == 4
    for _ in range(3):
        found = host.environment("web")
        assert [each["code"] for each in found["blocked"]] == ["changed-by-hook"]
        assert [each["code"] for each in found["reasons"]] == ["changed-by-hook"]
        assert named in found["reasons"][0]["message"]
        assert host.envsync("apply", "--yes").code == 4
        assert (published(host, "web"), runs(host)) == (1, 1), "nothing is built, no hook runs again"
    manifest(host, hook, version="1.1")
    assert host.envsync("apply", "--yes").code == 4
    assert (published(host, "web"), runs(host)) == (2, 2), "a change of the manifest is applied nevertheless"
    manifest(host, "")
    host.apply()
    assert host.envsync("verify").code == 0
    assert published(host, "web") == 3


def test_the_changes_of_a_hook_are_allowed_by_listing_them(host: Host) -> None:
    manifest(host, WRITE)
    assert host.envsync("apply", "--yes").code == 4
    manifest(host, WRITE, more='  ignore_files: ["data/**"]\n')
    assert steps(host, "web") == ["record"]
    host.apply()
    assert (published(host, "web"), runs(host)) == (1, 1)
    manifest(host, WRITE, version="1.1", more='  ignore_files: ["data/**"]\n')
    host.apply()
    assert (published(host, "web"), runs(host)) == (2, 2)


def test_a_file_that_a_hook_wrote_and_a_program_changes_later_is_still_the_hooks(host: Host) -> None:
    manifest(host, WRITE)
    assert host.envsync("apply", "--yes").code == 4
    (host.venv("web") / "data/x").write_text("a log that grows")
    assert [each["code"] for each in host.environment("web")["reasons"]] == ["changed-by-hook"]
    (host.venv("web") / "data/y").write_text("of another program")
    assert {each["code"] for each in host.environment("web")["reasons"]} == {"changed-by-hook", "files-drifted"}


@pytest.mark.parametrize(
    "hook",
    ["import alpha, beta", f"import os, sys; os.environ.pop('PYTHONDONTWRITEBYTECODE'); {START_AGAIN}"],
    ids=["imports", "writes bytecode"],
)
def test_a_hook_that_imports_changes_nothing(host: Host, hook: str) -> None:
    manifest(host, hook)
    host.apply()
    assert runs(host) == 1
    for depth in ("metadata", "files", "hashes"):
        assert host.envsync("check", "--depth", depth).code == 0


def test_a_hook_that_installs_an_ignored_package_changes_nothing(host: Host) -> None:
    manifest(host, INSTALL, more="  ignore: [extra]\n")
    host.apply()
    assert runs(host) == 1


def test_a_hook_that_always_fails_is_skipped_on_request(host: Host) -> None:
    manifest(host, "raise SystemExit(9)")
    ran = host.envsync("apply", "--yes")
    assert ran.code == 4
    assert "--skip-hooks" in ran.err
    plan = planned(host, "--skip-hooks")["web"]
    assert [each["code"] for each in plan["reasons"]] == ["hooks-pending", "hooks-skipped"]
    host.apply("--skip-hooks")
    assert runs(host) == 1
    assert "hooks-skipped" in last_run(host)["environments"][0]["reasons"]
    manifest(host, "raise SystemExit(9)", version="1.1")
    host.apply("--skip-hooks")
    assert (published(host, "web"), runs(host)) == (2, 1)


def test_a_saved_plan_that_skips_hooks_is_applied_without_them(host: Host) -> None:
    manifest(host, "raise SystemExit(9)")
    assert host.envsync("lock").code == 0
    assert host.envsync("plan", "--skip-hooks", "--out", "plan.json").code == 0
    assert host.envsync("apply", "--plan", "plan.json").code == 0
    assert runs(host) == 0
    assert host.envsync("check").code == 0


@pytest.mark.parametrize("command", [("destroy", "web"), ("apply",)], ids=["destroy", "prune"])
def test_a_delete_whose_hook_always_fails_is_made_without_it(host: Host, command: tuple[str, ...]) -> None:
    manifest(host, "raise SystemExit(9)", when="before_delete")
    host.apply()
    if command == ("apply",):
        host.manifest('other:\n  python: "3.11"\n')
    assert host.envsync(*command, "--yes").code == 4
    assert published(host, "web") == 1
    ran = host.envsync(*command, "--yes", "--skip-hooks")
    assert ran.code == 0
    assert "`before_delete` hooks are skipped" in ran.out
    assert published(host, "web") == 0
    assert runs(host) == 1
