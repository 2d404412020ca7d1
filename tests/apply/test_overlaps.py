"""Files that several packages list: whose are installed, and that nothing outside the environment is touched."""

from pathlib import Path

import pytest

from reconciler.apply.overlaps import Overlaps, find_overlaps, settle_overlaps
from reconciler.apply.verify_build import Record, installed_records, verify_records
from reconciler.errors import RecordMismatchError
from reconciler.state.inode_hashes import InodeHashes
from reconciler.state.inventory_scan import take_inventory
from reconciler.state.overlap import MOST_PATHS, Overlap
from tests.apply.fake_uv import SITE, FakeUv
from tests.apply.fake_uv import install_package as install
from tests.engines.requests import install_request


def found(venv: Path) -> Overlaps:
    return find_overlaps(venv, installed_records(venv), {})


def test_the_last_package_in_pip_s_order_wins_and_equal_contents_need_nothing(tmp_path: Path) -> None:
    install(tmp_path, "aa", {"x.py": b"aa", "same.py": b"same", "../../../bin/tool": b"aa", "own.py": b"aa"})
    install(tmp_path, "bb", {"./x.py": b"bb", "same.py": b"same", "../../../bin//tool": b"bb", "other.py": b"bb"})
    install(tmp_path, "cc", {"x.py": b"cc", "unknown.py": b""}, requires="Requires-Dist: aa\n")
    install(tmp_path, "dd", {"unknown.py": b""})
    overlaps = found(tmp_path)
    x, unknown, same = (f"{SITE}/{name}.py" for name in ("x", "unknown", "same"))
    assert overlaps.found == (
        Overlap(packages=("aa", "bb"), installed="aa", equal=False, files=1, paths=("bin/tool",)),
        Overlap(packages=("aa", "bb"), installed="aa", equal=True, files=1, paths=(same,)),
        Overlap(packages=("aa", "bb", "cc"), installed="cc", equal=False, files=1, paths=(x,)),
        Overlap(packages=("cc", "dd"), installed="cc", equal=False, files=1, paths=(unknown,)),
    )
    assert overlaps.replaced == {"aa": {x}, "bb": {x, "bin/tool"}, "dd": {unknown}}
    assert overlaps.again == ("bb", "aa", "cc")  # without the first one, `dd`


def test_packages_without_common_files_have_no_overlap(tmp_path: Path) -> None:
    install(tmp_path, "aa", {"aa.py": b"x"})
    install(tmp_path, "bb", {"bb.py": b"x"})
    assert found(tmp_path) == Overlaps()


def test_only_some_paths_of_an_overlap_are_kept(tmp_path: Path) -> None:
    for name in ("aa", "bb"):
        install(tmp_path, name, {f"x/{number:03}.py": name.encode() for number in range(MOST_PATHS + 5)})
    [overlap] = found(tmp_path).found
    assert (overlap.files, len(overlap.paths), overlap.paths[0]) == (MOST_PATHS + 5, MOST_PATHS, f"{SITE}/x/000.py")


def test_a_replaced_file_must_be_that_of_the_package_that_wins(tmp_path: Path) -> None:
    venv = tmp_path / "venv"
    for name in ("bb", "aa"):  # the files of `aa` are installed
        install(venv, name, {"x.py": name.encode()})

    def verify() -> None:
        records: list[Record] = installed_records(venv)
        inventory = take_inventory(venv, InodeHashes.load(tmp_path / "inodes"))
        verify_records(records, inventory, replaced=find_overlaps(venv, records, {}).replaced, compiled=None)

    verify()
    for content in (b"bb", b"other"):
        (venv / SITE / "x.py").write_bytes(content)
        with pytest.raises(RecordMismatchError) as caught:
            verify()
        assert caught.value.packages == ("aa",)


def settled(venv: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Settle the overlaps of `aa` and `bb`; return which of them uv uninstalls, and then installs one by one."""
    uv = FakeUv({name: {"x.py": name.encode()} for name in ("aa", "bb")})
    packages = [{"name": each.key, "version": "1.0"} for each in installed_records(venv)]
    document = {"lock-version": "1.0", "created-by": "t", "packages": packages}
    (venv / "pyvenv.cfg").touch()
    request = install_request(venv, venv.with_name("pylock.toml"))
    settle_overlaps(uv.engine(venv.with_name("cache"), monkeypatch), request, document, {})
    if not uv.calls:
        return []
    uninstall, *installs = uv.calls
    python, names = str(venv / "bin/python"), uninstall.arguments[4:]
    assert uninstall.arguments[:4] == ["pip", "uninstall", "-p", python]
    for name, call in zip(names, installs, strict=True):
        assert (call.command, call.after("-p")) == ("pip install", python)
        assert call.document == {**document, "packages": [{"name": name, "version": "1.0"}]}
    return names


def test_nothing_is_installed_again_if_a_package_lists_a_file_outside(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """uv deletes what RECORD lists before it installs a package again."""
    venv = tmp_path / "venv"
    install(venv, "aa", {"x.py": b"aa"})
    install(venv, "bb", {"x.py": b"bb"})
    assert settled(venv, monkeypatch) == ["aa"]
    assert (venv / SITE / "x.py").read_bytes() == b"aa"
    precious = tmp_path / "precious"
    precious.touch()
    for number, path in enumerate(("../../../../precious", f"{precious}", "y/../../../../../precious")):
        venv = tmp_path / f"venv-{number}"
        install(venv, "aa", {"x.py": b"aa"})
        with (venv / SITE / "aa-1.0.dist-info/RECORD").open("a") as record:
            record.write(f"{path},,\n")
        install(venv, "bb", {"x.py": b"bb"})
        assert settled(venv, monkeypatch) == [], path
        assert precious.exists()
