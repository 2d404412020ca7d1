"""`plan --out`, `show`, `apply --plan`: exactly the approved plan is applied, or it is refused with the reason."""

import json
import locale
from collections.abc import Callable
from pathlib import Path

import pytest

from reconciler.fs.user_key import state_directory
from reconciler.plan.document import plan_json
from reconciler.plan.model import FORMAT_VERSION
from reconciler.plan.plan_file import read_plan
from tests.functional.host_state import finished, generations, published, tree
from tests.functional.test_check_finds_and_apply_puts_right import uv
from tests.host import Host, Ran
from tests.plan.reworded import WORDS, reworded
from tests.wheels import make_wheel

WEB = 'web:\n  python: "3.11"\n  packages: [alpha==1.0]\n'
TOOLS = 'tools:\n  python: "3.11"\n  labels: {team: platform}\n  packages: [gamma]\n'
NEW = TOOLS + WEB.replace("1.0", "1.1")


def saved(host: Host, *arguments: str) -> Ran:
    """Lock, and save a plan in plan.json."""
    assert host.envsync("lock").code == 0
    ran = host.envsync("plan", "--out", "plan.json", *arguments)
    assert ran.code == 0, ran.err
    return ran


def approved(host: Host, *arguments: str) -> Ran:
    return host.envsync("apply", "--plan", "plan.json", *arguments)


def changed_and_saved(host: Host) -> None:
    """Apply alpha 1.0, declare 1.1, and save the plan."""
    host.manifest(TOOLS + WEB)
    host.apply()
    host.manifest(NEW)
    saved(host)


def refused(host: Host, reason: str, *arguments: str) -> None:
    """Assert that an apply of the saved plan exits with 3, gives a reason and a hint, and changes nothing."""
    before = tree(host.root, but=".envsync/cache") if host.root.exists() else {}
    ran = approved(host, *arguments)
    assert (ran.code, ran.out) == (3, ""), ran.out + ran.err
    assert reason in ran.err, ran.err
    assert "hint: " in ran.err
    after = tree(host.root, but=".envsync/cache") if host.root.exists() else {}
    for holder in (".envsync/lock", ".envsync/holder", ".envsync"):  # the root was locked for a moment
        before.pop(holder, None), after.pop(holder, None)
    assert after == before


def test_an_approved_plan_is_shown_and_applied_and_cannot_be_applied_again(host: Host) -> None:
    changed_and_saved(host)
    assert (host.directory / "plan.json").read_text() == host.envsync("plan", "--output", "json").out
    for form in ("text", "json"):
        planned = host.envsync("plan", "--output", form)
        assert host.envsync("show", "plan.json", "--output", form) == planned
        assert planned.err == ""
    uv(host, "uninstall", "beta")
    refused(host, "error: the plan cannot be applied: `web` changed on disk since it was made")
    assert host.freeze("web") == ["alpha==1.0"], "a manual change is kept until a plan shows it"
    saved(host)
    ran = approved(host, "--output", "json", "--no-gc")
    assert ran.code == 0, ran.err
    assert {name: each["status"] for name, each in finished(ran).items()} == {"tools": "unchanged", "web": "applied"}
    assert ran.events()[0]["plan"] == json.loads((host.directory / "plan.json").read_text())["id"]
    assert host.freeze("web") == ["alpha==1.1", "beta==2.0"]
    assert host.envsync("plan", "--detailed-exitcode").code == 0
    refused(host, "error: the plan cannot be applied: `web` changed on disk since it was made")
    assert generations(host, "web") == [1, 2]

    assert "No changes." in saved(host).out
    for _ in range(2):  # a plan without changes can be applied again
        ran = approved(host)
        assert (ran.code, "No changes." in ran.out) == (0, True), ran.err
    assert generations(host, "web") == [1, 2]


def test_a_first_plan_is_applied_to_an_empty_root(host: Host) -> None:
    host.manifest(NEW)
    ran = saved(host, "--no-prune", "web")
    assert "envsync apply --plan plan.json" in ran.err
    assert "1 to create" in ran.out
    assert host.envsync("show", "plan.json").out == ran.out
    ran = approved(host)
    assert ran.code == 0, ran.err
    assert "1 to create" in ran.out
    assert (published(host, "web"), published(host, "tools")) == (1, 0)


def test_a_plan_that_was_saved_with_other_words_is_applied(host: Host) -> None:
    changed_and_saved(host)
    uv(host, "uninstall", "beta")
    saved(host)
    plan = host.directory / "plan.json"
    plan.write_text(plan_json(reworded(read_plan(plan).plan)))
    assert WORDS in host.envsync("show", "plan.json").out
    ran = approved(host)
    assert ran.code == 0, ran.err
    assert WORDS not in ran.out, "the plan that is applied is the one that was made just now"
    assert host.freeze("web") == ["alpha==1.1", "beta==2.0"]


def file_edited_manually(host: Host) -> None:
    (host.site_packages("web") / "beta.py").write_text("NAME = 'mine'\n")


def manifest_edited(host: Host) -> None:
    host.manifest(NEW + '  description: "the site"\n')


def locks_updated(host: Host) -> None:
    make_wheel(host.index.directory, "beta", "2.1", modules={"beta.py": ""})
    make_wheel(host.index.directory, "gamma", "0.2", modules={"gamma/__init__.py": ""})
    assert host.envsync("lock", "--upgrade").code == 0


def lock_removed(host: Host) -> None:
    (host.directory / "locks" / "pylock.tools.toml").unlink()


def root_moved(host: Host) -> None:
    host.manifest(NEW, head="root: other\n")


def project_renamed(host: Host) -> None:
    manifest = host.directory / "envs.yaml"
    manifest.write_text(manifest.read_text().replace("project: acme", "project: globex"))


def plan_edited(host: Host) -> None:
    text = (host.directory / "plan.json").read_text()
    assert '"after": "1.1"' in text
    (host.directory / "plan.json").write_text(text.replace('"after": "1.1"', '"after": "1.2"'))


def write_format(host: Host, version: str) -> None:
    text = (host.directory / "plan.json").read_text()
    written = f'"format_version": "{FORMAT_VERSION}"'
    assert written in text
    (host.directory / "plan.json").write_text(text.replace(written, f'"format_version": "{version}"'))


def plan_of_format_two(host: Host) -> None:
    write_format(host, "2.0")


def plan_of_newer_format(host: Host) -> None:
    write_format(host, "1.9")
    assert host.envsync("show", "plan.json").code == 0


def plan_of_another_machine(host: Host) -> None:
    plan = json.loads((host.directory / "plan.json").read_text())
    plan.update(platform="darwin arm64", format_version=FORMAT_VERSION)
    (host.directory / "plan.json").write_text(json.dumps(plan))


CHANGES: list[tuple[Callable[[Host], None], str]] = [
    (plan_edited, "error: plan.json: edited since it was written"),
    (plan_of_another_machine, "error: plan.json: edited since it was written"),
    (plan_of_format_two, "error: plan.json: the plan has format 2.0, but this version of envsync reads format 1"),
    (plan_of_newer_format, f"it has format 1.9, but this version of envsync writes format {FORMAT_VERSION}"),
    (manifest_edited, "the manifest, or a file that it names, changed since it was made"),
    (root_moved, "it is for root "),
    (project_renamed, "it is for project `acme`, but this project is `globex`"),
    (lock_removed, "the plan cannot be applied: "),
    (file_edited_manually, "the plan cannot be applied: `web` changed on disk since"),
    (locks_updated, "the plan cannot be applied: the locks of `tools`, `web` changed"),
]
NOT_WITH_PLAN = (
    ["web"],
    ["-l", "team=platform"],
    ["--depth", "files"],
    ["--no-prune"],
    ["--allow-empty"],
    ["--adopt"],
    ["--drop-ignored"],
)


def test_every_change_since_the_plan_is_named_and_nothing_is_applied(host: Host) -> None:
    changed_and_saved(host)
    names = ("plan.json", "envs.yaml", "locks/pylock.web.toml", "locks/pylock.tools.toml")
    changed_files = [*(host.directory / name for name in names), host.site_packages("web") / "beta.py"]
    contents = {path: path.read_bytes() for path in changed_files}
    for change, reason in CHANGES:
        change(host)
        refused(host, reason)
        assert published(host, "web") == 1
        for path, content in contents.items():
            path.write_bytes(content)
    for arguments in NOT_WITH_PLAN:
        refused(host, "cannot be combined", *arguments)
    ran = approved(host, "--yes", "--locked", "--parallelism", "1", "--lock-timeout", "5")
    assert ran.code == 0, "with everything restored, it can be applied: " + ran.err


def test_the_saved_selection_and_policy_are_used_again(host: Host) -> None:
    host.manifest(TOOLS + WEB)
    host.apply()
    host.manifest(NEW.replace("gamma", "gamma, beta"))
    saved(host, "-l", "team=platform", "--depth", "hashes", "--no-prune")
    ran = approved(host)
    assert ran.code == 0, ran.err
    assert (published(host, "tools"), published(host, "web")) == (2, 1)


def test_a_plan_that_cannot_be_made_is_not_saved(host: Host) -> None:
    host.manifest(NEW)
    ran = host.envsync("plan", "--out", "plan.json")
    assert ran.code == 3
    assert "envsync lock" in ran.err
    assert not (host.directory / "plan.json").exists()
    refused(host, "error: plan.json: no such file")
    assert host.envsync("show", "plan.json").code == 3
    assert host.envsync("show", "envs.yaml", "--output", "json").json()["error"]["code"] == "plan-file"


def test_the_same_state_gives_the_same_bytes_in_any_directory_and_environment(host: Host) -> None:
    changed_and_saved(host)
    uv(host, "uninstall", "beta")
    (host.site_packages("tools") / "stray.pth").write_text("")
    expected = host.envsync("plan", "--out", "plan.json").out
    first = (host.directory / "plan.json").read_bytes()
    home = host.directory.parent / "home"
    (home / ".config" / "uv").mkdir(parents=True)
    (home / ".config" / "uv" / "uv.toml").write_text('index-url = "https://nowhere.example/simple"\nno-index = true\n')
    (home / ".config" / "pip").mkdir()
    (home / ".config" / "pip" / "pip.conf").write_text("[global]\nindex-url = https://nowhere.example/simple\n")
    (home / ".netrc").write_text("machine 127.0.0.1 login a password b\n")
    absolute, below = str(host.directory / "envs.yaml"), host.directory / "one" / "two"
    below.mkdir(parents=True)
    configured = {
        "HOME": str(home),
        "XDG_STATE_HOME": str(Path(state_directory()).parent),  # the same user, with the same key
        "XDG_CONFIG_HOME": str(home / ".config"),
        "XDG_CACHE_HOME": str(home / "cache"),
        "UV_INDEX_URL": "https://nowhere.example/simple",
        "UV_PYTHON_PREFERENCE": "only-managed",
        "UV_LINK_MODE": "copy",
        "PIP_INDEX_URL": "https://nowhere.example/simple",
        "PIP_REQUIRE_VIRTUALENV": "1",
        "VIRTUAL_ENV": str(host.venv("tools")),
    }
    invocations: list[tuple[Path, tuple[str, ...], dict[str, str]]] = [
        (host.directory, ("-f", absolute), {}),
        (below, ("-f", "../../envs.yaml"), {}),
        (Path("/"), ("-f", absolute), {}),
        (below, (), {"ENVSYNC_FILE": absolute}),
        (host.directory, (), {"PYTHONHASHSEED": "1", "LC_ALL": "C", "LANG": ""}),
        (host.directory, (), {"PYTHONHASHSEED": "4242", "LC_ALL": "C.UTF-8", "TZ": "Asia/Tokyo"}),
        (host.directory, ("--offline", "--locked"), configured),
    ]
    invocations += [(host.directory, (), {"LC_ALL": name}) for name in other_locales()]
    for number, (directory, arguments, env) in enumerate(invocations):
        out = host.directory.parent / f"{number}.json"
        elsewhere = Host(directory=directory, index=host.index, env=env)
        ran = elsewhere.envsync("plan", "--output", "json", "--out", str(out), *arguments)
        assert ran.code == 0, ran.err
        assert out.read_bytes() == first, (directory, arguments, env)
        assert ran.out.encode() == first
    assert "2 to update" in expected


def other_locales() -> list[str]:
    """Return the locales of this machine that sort and encode differently from C."""
    found = []
    ours = locale.setlocale(locale.LC_ALL)
    for name in ("de_DE.UTF-8", "tr_TR.UTF-8", "en_US.UTF-8", "ja_JP.eucJP"):
        try:
            locale.setlocale(locale.LC_ALL, name)
        except locale.Error:
            continue
        finally:
            locale.setlocale(locale.LC_ALL, ours)
        found.append(name)
    return found


def test_a_plan_cannot_be_saved_in_a_device_or_a_directory(host: Host) -> None:
    host.manifest("")
    for place, reason in (
        (".", "must be a regular file"),
        ("/dev/null", "must be a regular file"),
        ("missing/plan.json", "the directory `missing` does not exist"),
    ):
        ran = host.envsync("plan", "--out", place)
        assert (ran.code, ran.out) == (3, "")
        assert ran.err.startswith(f"error: `--out {place}`: {reason}\nhint: ")
    assert Path("/dev/null").is_char_device()


@pytest.mark.parametrize("content", ["", "{", "[]", "\0", '{"format_version": "1.0"}'])
def test_a_file_that_is_not_a_plan_is_refused_by_apply_and_show(host: Host, content: str) -> None:
    host.manifest("")
    (host.directory / "plan.json").write_text(content)
    refused(host, "error: plan.json: not a plan: ")
    assert host.envsync("show", "plan.json").code == 3
