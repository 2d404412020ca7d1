"""An entry of `ignore` or `ignore_files` may have a reason and a last day, after which it is reported and ends."""

import datetime as dt
import time

import pytest

from reconciler.fastpath.unchanged import count_unchanged
from tests.functional.host_state import planned
from tests.functional.test_check_finds_and_apply_puts_right import uv
from tests.host import Host
from tests.wheels import make_wheel

TODAY = dt.datetime.now(dt.UTC).date()
YESTERDAY, TOMORROW = (TODAY + dt.timedelta(days=each) for each in (-1, 1))


def declare(host: Host, until: dt.date, version: str = "1.0") -> None:
    host.manifest(
        f'web:\n  python: "3.11"\n  packages: [alpha=={version}]\n'
        f"  ignore:\n    - {{match: 'agent*', reason: INC-42, until: {until}}}\n"
        f"  ignore_files:\n    - {{match: 'share/**', until: {until}}}\n    - var/**\n"
    )


def change_manually(host: Host) -> None:
    make_wheel(host.index.directory, "agent-core", "1.0")
    uv(host, "install", "--default-index", host.index.url, "agent-core")
    (host.venv("web") / "share").mkdir(exist_ok=True)
    (host.venv("web") / "share/mine").write_text("mine")


def test_an_exception_counts_through_its_last_day_and_is_reported_afterwards(host: Host) -> None:
    declare(host, TODAY)
    host.apply()
    change_manually(host)
    for depth in ("metadata", "files", "hashes"):
        assert host.envsync("check", "--depth", depth).code == 0
    assert host.envsync("verify").code == 0
    declare(host, YESTERDAY)
    web = host.environment("web")
    assert {each["code"] for each in web["reasons"]} == {"settings-changed", "packages-drifted", "files-drifted"}
    assert web["notes"] == [
        f"exception for `agent*` expired on {YESTERDAY} (envs.yaml:11:9): INC-42",
        f"exception for `share/**` expired on {YESTERDAY} (envs.yaml:13:9)",
    ]
    assert f"note: exception for `agent*` expired on {YESTERDAY}" in host.envsync("plan").out
    host.apply()
    assert not (host.venv("web") / "share/mine").exists()
    assert host.environment("web")["notes"] == web["notes"], "as long as the entry exists"
    ran = host.envsync("check")
    assert ran.code == 0
    assert f"note: web: exception for `share/**` expired on {YESTERDAY}" in ran.out


def test_the_day_after_is_noticed_although_nothing_else_changed(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    declare(host, TODAY)
    host.apply()
    assert host.envsync("check").code == 0
    time.sleep(0.05)
    assert host.envsync("check").code == 0
    file = str(host.directory / "envs.yaml")
    monkeypatch.chdir(host.directory)
    assert count_unchanged(file, files=True) == 1
    now = time.time()
    real = time.gmtime
    monkeypatch.setattr(time, "gmtime", lambda: real(now + 24 * 3600))
    assert count_unchanged(file, files=True) == 0, "the full program must answer"


def test_an_exception_is_kept_by_a_rebuild_and_its_date_alone_needs_none(host: Host) -> None:
    declare(host, TODAY)
    host.apply()
    (host.venv("web") / "share").mkdir(exist_ok=True)
    (host.venv("web") / "share/mine").write_text("mine")
    declare(host, TOMORROW)
    assert [each["kind"] for each in planned(host)["web"]["steps"]] == ["record"]
    host.apply()
    declare(host, TOMORROW, "1.1")
    host.apply()
    assert (host.venv("web") / "share/mine").read_text() == "mine"
