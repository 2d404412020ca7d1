"""The manifest's `access` sets the mode of the root, and with it who may read everything below it."""

import os
import stat
from pathlib import Path

from reconciler.fs.access_bits import missing_bits
from tests.functional.host_state import generations, planned, published
from tests.host import Host

GROUP = 65534
WEB = 'web:\n  python: "3.11"\n  packages: [%s]\n'


def declare(host: Host, access: str, packages: str = "alpha==1.0") -> None:
    host.manifest(WEB % packages, head=f"access: {access}\n" if access else "")


def mode(path: Path) -> int:
    return stat.S_IMODE(path.lstat().st_mode)


def files(host: Host) -> list[Path]:
    """Return the files and directories of generations and records."""
    found: list[Path] = []
    for directory in ("generations", "environments"):
        for folder, names, listed in os.walk(host.root / ".envsync" / directory):
            paths = (Path(folder), *(Path(folder, each) for each in (*names, *listed)))
            found += [each for each in paths if each.name != ".lock" and not each.is_symlink()]  # uv's own
    return found


def closed(host: Host, access: int) -> list[str]:
    """Return the files and directories of generations and state that lack the access."""
    return [str(path) for path in files(host) if missing_bits(path.lstat().st_mode, access)]


def test_it_changes_without_a_build_and_narrowing_is_not_drift(host: Host) -> None:
    before = os.umask(0o077)
    try:
        declare(host, "private")
        host.apply()
        assert mode(host.root) == 0o700
        declare(host, "private", "alpha==1.1")
        host.apply()
        assert closed(host, 0o055), "the umask makes private files in a private root"
        if os.geteuid() == 0:
            os.chown(host.root, -1, GROUP)
        for access, bits in (("all", 0o055), ("group", 0o050), ("private", 0), ("all", 0o055)):
            was = mode(host.root) & 0o077
            declare(host, access, "alpha==1.1")
            web = planned(host)["web"]
            assert (web["action"], [each["kind"] for each in web["steps"]]) == ("update", ["record"])
            assert [(each["path"], each["after"]) for each in web["settings"]] == [(["access"], access)]
            assert host.envsync("check").code == 2
            assert mode(host.root) & 0o077 == was, "a plan changes nothing"
            host.apply()
            assert mode(host.root) == 0o700 | bits
            assert closed(host, bits) == []
            if access == "group" and os.geteuid() == 0:
                assert [path for path in files(host) if path.lstat().st_gid != GROUP] == []
        assert (published(host, "web"), generations(host, "web")) == (2, [1, 2])
        declare(host, "all", "alpha==1.0, gamma")
        host.apply()
        assert closed(host, 0o055) == [], "the umask of the caller does not count"
    finally:
        os.umask(before)


def test_a_root_that_was_changed_is_found_and_put_right(host: Host) -> None:
    declare(host, "private")
    host.apply()
    host.root.chmod(0o711)
    web = planned(host)["web"]
    assert [(each["before"], each["after"]) for each in web["settings"]] == [("0711", "private")]
    assert host.envsync("check").code == 2
    host.apply()
    assert mode(host.root) == 0o700
    declare(host, "")
    assert host.envsync("check").code == 0, "without the key the mode of the root decides"
    host.root.chmod(0o755)
    host.apply()
    assert mode(host.root) == 0o755
    declare(host, "all")
    host.apply()
    host.root.chmod(0o700)
    assert [host.envsync("check").code for _ in range(2)] == [2, 2], "the first one remembers how it read the manifest"
    host.apply()
    assert mode(host.root) == 0o755


def test_a_snapshot_does_not_compare_it(host: Host) -> None:
    declare(host, "")
    host.apply()
    snapshot = host.directory / "host.json"
    assert host.envsync("observe", "--out", str(snapshot)).code == 0
    declare(host, "private")
    assert host.envsync("check", "--actual", str(snapshot)).code == 0
