"""What an engine built is looked at before it is published: hostile and broken wheels are refused, and say why."""

import io
import re
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.functional.looking import finished, published
from tests.host import Host
from tests.wheels import make_wheel

GOOD = 'good:\n  python: "3.11"\n  packages: [beta]\n'


def rewrite(wheel: Path, change: Callable[[bytes], bytes]) -> None:
    """Change the RECORD of a wheel, which is then no longer true."""
    out = io.BytesIO()
    with zipfile.ZipFile(wheel) as old, zipfile.ZipFile(out, "w") as new:
        for name in old.namelist():
            content = old.read(name)
            new.writestr(name, change(content) if name.endswith("RECORD") else content)
    wheel.write_bytes(out.getvalue())


RECORDS: dict[str, Callable[[bytes], bytes]] = {
    "another-hash": lambda record: record.replace(b"sha256=", b"sha256=a", 1),
    "no-base64": lambda record: re.sub(rb"sha256=[^,]*", b"sha256=abcde", record, count=1),
    "no-ascii": lambda record: re.sub(rb"sha256=[^,]*", "sha256=\u00e9".encode(), record, count=1),
    "no-hash": lambda record: re.sub(rb"sha256=[^,]*", b"sha256=", record, count=1),
}


def test_files_that_are_not_what_their_record_names_are_refused_and_others_go_on(host: Host) -> None:
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


@pytest.mark.parametrize("file", ["data/pyvenv.cfg", "data/bin/python3.11", "scripts/python"])
def test_a_wheel_cannot_change_what_makes_an_environment_one(host: Host, file: str) -> None:
    make_wheel(host.index.directory, "evil", "1.0", data={file: "home = /nowhere\n"})
    host.manifest('web:\n  python: "3.11"\n  packages: [evil]\n')
    ran = host.envsync("apply", "--yes")
    assert ran.code == 1
    assert "evil" in ran.err or "pyvenv.cfg" in ran.err
    assert published(host, "web") == 0
