"""What is installed is what the hash in the lock names, whatever the package cache contains (docs/design.md)."""

import base64
import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.host import Host, new_host

WEB = 'web:\n  python: "3.12"\n  packages: [alpha, gamma]\n'
JOB = 'job:\n  python: "3.12"\n  packages: [gamma]\n'
EVIL = b"raise SystemExit('evil')\n"


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Host]:
    """Yield a host with one environment; a second one with the same wheel is declared, but not applied."""
    with new_host(tmp_path) as found:
        found.manifest(WEB)
        found.apply()
        found.manifest(WEB + JOB)
        yield found


def unpacked(host: Host) -> Path:
    """Return the directory of the wheel of gamma in the cache."""
    return next((host.root / ".envsync/cache/uv").glob("archive-v*/*/gamma/__init__.py")).parent.parent


def replaced(path: Path, content: bytes) -> None:
    """Replace a file in the cache, not what is linked to it."""
    path.unlink()
    path.write_bytes(content)


def edited_with_its_record(wheel: Path) -> None:
    replaced(wheel / "gamma/__init__.py", EVIL)
    record = next(wheel.glob("*.dist-info/RECORD"))
    sha256 = base64.urlsafe_b64encode(hashlib.sha256(EVIL).digest()).decode().rstrip("=")
    row = f"gamma/__init__.py,sha256={sha256},{len(EVIL)}"
    rows = [row if each.startswith("gamma/__init__.py,") else each for each in record.read_text().splitlines()]
    replaced(record, "".join(f"{each}\n" for each in rows).encode())


def added_and_listed(wheel: Path) -> None:
    (wheel / "gamma/more.py").write_bytes(EVIL)
    record = next(wheel.glob("*.dist-info/RECORD"))
    sha256 = base64.urlsafe_b64encode(hashlib.sha256(EVIL).digest()).decode().rstrip("=")
    replaced(record, record.read_bytes() + f"gamma/more.py,sha256={sha256},{len(EVIL)}\n".encode())


def added_to_the_package(wheel: Path) -> None:
    (wheel / "gamma/more.py").write_bytes(EVIL)


def added_next_to_the_package(wheel: Path) -> None:
    (wheel / "evil.pth").write_text("import os\n")


def entry_point_changed(wheel: Path) -> None:
    points = next(wheel.glob("*.dist-info/entry_points.txt"))
    replaced(points, b"[console_scripts]\ngamma = os:abort\n")
    record = next(wheel.glob("*.dist-info/RECORD"))
    rows = [each for each in record.read_text().splitlines() if "entry_points.txt" not in each]
    replaced(record, "".join(f"{each}\n" for each in rows).encode())


EDITS = [
    edited_with_its_record,
    added_and_listed,
    added_to_the_package,
    added_next_to_the_package,
    entry_point_changed,
]


@pytest.mark.parametrize("edit", EDITS, ids=lambda edit: edit.__name__)
def test_the_wheel_is_fetched_again(edit: object, host: Host) -> None:
    assert callable(edit)
    edit(unpacked(host))
    ran = host.apply()
    assert "and were fetched again" in ran.out + ran.err
    site = host.site_packages("job")
    assert (site / "gamma/__init__.py").read_bytes() == b""
    assert sorted(os.listdir(site / "gamma")) == ["__init__.py"]
    assert not (site / "evil.pth").exists()


def test_offline_nothing_is_published(host: Host) -> None:
    host.envsync("lock")
    edited_with_its_record(unpacked(host))
    ran = host.envsync("apply", "--yes", "--offline")
    assert ran.code == 1, ran.out
    assert "run the command once without `--offline`" in ran.out + ran.err
    assert not (host.root / "job").exists()


def test_a_forged_list_of_what_wheels_contain_is_not_believed(host: Host) -> None:
    """Without the list a wheel counts as new, so its RECORD decides. A file that it does not list is fetched again."""
    (host.root / ".envsync/cache/wheels.json").write_text('{"format":1,"wheels":{}}')
    added_to_the_package(unpacked(host))
    assert "and were fetched again" in host.apply().err
