"""A built generation is verified before it is published: untrusted and broken wheels are refused with the reason."""

import io
import re
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

import reconciler
from reconciler.engines.engine import InstallRequest
from reconciler.engines.uv import UvEngine
from tests.functional.host_state import finished, published
from tests.host import Host
from tests.wheels import make_wheel

GOOD = 'good:\n  python: "3.11"\n  packages: [beta]\n'


def rewrite(wheel: Path, change: Callable[[bytes], bytes]) -> None:
    """Change the RECORD of a wheel, so that it is wrong."""
    out = io.BytesIO()
    with zipfile.ZipFile(wheel) as old, zipfile.ZipFile(out, "w") as new:
        for name in old.namelist():
            content = old.read(name)
            new.writestr(name, change(content) if name.endswith("RECORD") else content)
    wheel.write_bytes(out.getvalue())


RECORDS: dict[str, Callable[[bytes], bytes]] = {
    "wrong-hash": lambda record: record.replace(b"sha256=", b"sha256=a", 1),
    "no-base64": lambda record: re.sub(rb"sha256=[^,]*", b"sha256=abcde", record, count=1),
    "no-ascii": lambda record: re.sub(rb"sha256=[^,]*", "sha256=\u00e9".encode(), record, count=1),
    "no-hash": lambda record: re.sub(rb"sha256=[^,]*", b"sha256=", record, count=1),
}


def test_files_that_differ_from_their_record_are_refused_and_others_continue(host: Host) -> None:
    manifest = GOOD
    for name, change in RECORDS.items():
        rewrite(make_wheel(host.index.directory, name, "1.0"), change)
        manifest += f'{name}:\n  python: "3.11"\n  packages: [{name}]\n'
    host.manifest(manifest)
    ran = host.envsync("apply", "--yes", "--output", "json")
    assert ran.code == 4
    ended = finished(ran)
    assert ended.pop("good")["status"] == "applied"
    assert {each["failure"]["code"] for each in ended.values()} == {"record-mismatch"}
    for name in RECORDS:
        assert f"{name.replace('-', '_')}/__init__.py" in ended[name]["failure"]["message"]
        assert published(host, name) == 0


def test_without_the_network_damaged_files_in_the_cache_are_not_downloaded_again(host: Host) -> None:
    host.manifest(GOOD)
    host.apply()
    for record in (host.root / ".envsync/cache/uv").rglob("*.dist-info/RECORD"):
        record.unlink()
    host.manifest(GOOD + '  env: {A: "1"}\n  system_site_packages: true\n')  # a new generation of the same packages
    ran = host.envsync("apply", "--yes", "--offline", "--output", "json")
    failure = finished(ran)["good"]["failure"]
    assert failure["code"] == "damaged-cache"
    assert failure["hint"].startswith("run the command once without `--offline`")
    assert host.envsync("apply", "--yes").code == 0


@pytest.mark.parametrize("file", ["data/pyvenv.cfg", "data/bin/python3.11", "scripts/python"])
def test_a_wheel_cannot_replace_the_environment_s_own_files(host: Host, file: str) -> None:
    make_wheel(host.index.directory, "evil", "1.0", data={file: "home = /nowhere\n"})
    host.manifest('web:\n  python: "3.11"\n  packages: [evil]\n')
    ran = host.envsync("apply", "--yes")
    assert ran.code == 1
    assert "evil" in ran.err or "pyvenv.cfg" in ran.err
    assert published(host, "web") == 0


def _remove(info: Path) -> None:
    shutil.rmtree(info)


def _add_another(info: Path) -> None:
    shutil.copytree(info, info.with_name("zeta-1.0.dist-info"))
    (info.with_name("zeta-1.0.dist-info") / "METADATA").write_text("Metadata-Version: 2.1\nName: zeta\nVersion: 1.0\n")


def _change_version(info: Path) -> None:
    info = info.rename(info.with_name("beta-1.9.dist-info"))
    (info / "METADATA").unlink()  # a hard link: the cache keeps the old one
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: beta\nVersion: 1.9\n")


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (_remove, "`beta` is missing"),
        (_add_another, "`zeta` is not in the lock"),
        (_change_version, "`beta` is 1.9, but the lock has 2.0"),
    ],
    ids=["missing", "unexpected", "wrong-version"],
)
def test_an_engine_that_installs_something_else_is_detected(
    damage: Callable[[Path], None], message: str, host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    install = UvEngine.install

    def install_wrongly(engine: UvEngine, request: InstallRequest) -> None:
        install(engine, request)
        damage(next(request.venv.glob("lib/*/site-packages/beta-2.0.dist-info")))

    monkeypatch.setattr(UvEngine, "install", install_wrongly)
    host.manifest(GOOD)
    result = reconciler.load(host.directory / "envs.yaml").plan().apply()
    failure = result.environments[0].failure
    assert failure is not None
    assert failure.message == f"the installed packages differ from the lock: {message}"
    assert published(host, "good") == 0
