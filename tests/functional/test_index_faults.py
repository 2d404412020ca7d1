"""Each fault of an index ends in time, is reported as what it is, and changes nothing."""

import os
import shutil
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.functional.host_state import finished, generations, published
from tests.host import Host, new_host
from tests.index_faults import Fault
from tests.wheels import make_sdist, make_wheel

SECONDS = 4.0  # the limit of one run of the package tool
SLACK = 10.0  # seconds to start Python and to end the tool, on a slow machine
PAGE = "/simple/gamma/"
WHEEL = "gamma-0.1-py3-none-any.whl"
BROKEN_BACKEND = """\
import sys


def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    print("line " * 3 + "\\n" * 40, file=sys.stderr)
    raise SystemExit("\\x1b[31mno compiler here")
"""
STATIC = """\
[project]
name = "{name}"
version = "1.0"
dependencies = []

[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]
"""

Break = Callable[[Host], None]


@pytest.fixture(scope="module")
def settled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    """Yield a host with `web` applied, which must stay as it is."""
    with new_host(tmp_path_factory.mktemp("faults")) as host:
        wheels = host.index.directory
        make_wheel(wheels, "foreign", "1.0", tag="cp27-cp27m-win32")
        make_wheel(wheels, "taken-back", "1.0")
        make_sdist(
            wheels,
            "unbuildable",
            "1.0",
            files={"pyproject.toml": STATIC.format(name="unbuildable"), "backend.py": BROKEN_BACKEND},
        )
        make_sdist(
            wheels,
            "unknowable",
            "1.0",
            files={
                "pyproject.toml": STATIC.format(name="unknowable").replace(
                    "dependencies = []", 'dynamic = ["dependencies"]'
                ),
                "backend.py": BROKEN_BACKEND,
            },
        )
        host.index.yanked["taken_back-1.0-py3-none-any.whl"] = "bad"
        host.manifest(web("alpha==1.0"))
        host.apply()
        yield host


@pytest.fixture(autouse=True)
def healthy_index(settled: Host) -> Iterator[None]:
    """Restore the index after each test, and empty the cache before it."""
    kept = {path: path.read_bytes() for path in settled.index.directory.iterdir()}
    shutil.rmtree(settled.root / ".envsync/cache", ignore_errors=True)
    yield
    settled.index.broken.clear()
    settled.index.faulty.clear()
    settled.index.patience.clear()
    settled.index.lies.clear()
    settled.index.described.clear()
    for path, content in kept.items():
        path.write_bytes(content)


def web(*packages: str) -> str:
    return f'web:\n  python: "3.11"\n  packages: [{", ".join(packages)}]\n'


def status(path: str, code: int) -> Break:
    return lambda host: host.index.broken.update({path: code})


def fault(path: str, kind: Fault) -> Break:
    return lambda host: host.index.faulty.update({path: kind})


def nothing(_host: Host) -> None:
    """Leave the index as it is."""


LOCKING: dict[str, tuple[Break, str, str]] = {
    "no-such-package": (nothing, "nothere", "package `nothere` was not found on any index"),
    "404": (status(PAGE, 404), "gamma", "package `gamma` was not found on any index"),
    "401": (status(PAGE, 401), "gamma", "requires valid credentials (401)"),
    "403": (status(PAGE, 403), "gamma", "denies access (403)"),
    "429": (status(PAGE, 429), "gamma", "reported an error (429)"),
    "500": (status(PAGE, 500), "gamma", "reported an error (500)"),
    "503": (status(PAGE, 503), "gamma", "reported an error (503)"),
    "hang": (fault(PAGE, Fault.HANG), "gamma", "did not answer in time"),
    "drip": (fault(PAGE, Fault.DRIP), "gamma", "did not finish within 4 seconds"),
    "truncate": (fault(PAGE, Fault.TRUNCATE), "gamma", "sent an incomplete answer"),
    "reset": (fault(PAGE, Fault.RESET), "gamma", "closed the connection"),
    "metadata-401": (status(f"/files/{WHEEL}.metadata", 401), "gamma", "requires valid credentials (401)"),
    "metadata-truncate": (fault(f"/files/{WHEEL}.metadata", Fault.TRUNCATE), "gamma", "sent an incomplete answer"),
    "refused": (nothing, "gamma @ http://127.0.0.1:1/gamma-0.1-py3-none-any.whl", "`127.0.0.1:1` cannot be reached"),
    "no-such-host": (nothing, "gamma @ http://nothere.invalid/gamma-0.1.zip", "`nothere.invalid` cannot be reached"),
    "direct-404": (nothing, "gamma @ {base}/files/gamma-9.9-py3-none-any.whl", "does not have a requested file"),
    "git": (nothing, "gamma @ git+http://127.0.0.1:1/gamma.git", "a repository could not be fetched"),
    "yanked": (nothing, "taken-back", "the only version that fits was yanked"),
    "no-wheel": (nothing, "foreign", "no wheel fits this interpreter"),
    "contradiction": (nothing, "gamma>0.1", "no set of packages satisfies the requirements"),
    "build": (nothing, "unknowable", "a source distribution could not be built"),
}


@pytest.mark.parametrize("case", LOCKING)
def test_locking_reports_what_the_index_did(settled: Host, case: str) -> None:
    break_index, package, words = LOCKING[case]
    break_index(settled)
    settled.manifest(web("alpha==1.0") + web(f'"{package.format(base=settled.index.base)}"').replace("web:", "new:"))

    started = time.monotonic()
    ran = settled.envsync("lock", "new", "--timeout", f"{SECONDS:g}")

    assert time.monotonic() - started < SECONDS + SLACK
    assert ran.code == 1, ran.err
    first, *rest = ran.err.splitlines()
    assert first.startswith("error: ")
    assert words in first
    assert any(line.startswith("hint: ") for line in rest), ran.err
    assert not (settled.directory / "locks/pylock.new.toml").exists()
    assert "\x1b" not in ran.err


def state(host: Host) -> tuple[object, ...]:
    """Return the published generation, the files installed in it, and all generations."""
    installed = sorted(os.listdir(host.site_packages("web")))
    return (published(host, "web"), installed, generations(host, "web"))


def file_replaced(host: Host) -> None:
    make_wheel(host.index.directory, "gamma", "0.1", modules={"gamma/__init__.py": "evil = True\n"})


def file_damaged(host: Host) -> None:
    wheel = host.index.directory / WHEEL
    wheel.write_bytes(b"x" * wheel.stat().st_size)


FILE = f"/files/{WHEEL}"
INSTALLING: dict[str, tuple[Break, str, str]] = {
    "401": (status(FILE, 401), "gamma", "index-forbidden"),
    "403": (status(FILE, 403), "gamma", "index-forbidden"),
    "404": (status(FILE, 404), "gamma", "file-gone"),
    "500": (status(FILE, 500), "gamma", "index-server-error"),
    "503": (status(FILE, 503), "gamma", "index-server-error"),
    "hang": (fault(FILE, Fault.HANG), "gamma", "index-slow"),
    "drip": (fault(FILE, Fault.DRIP), "gamma", "deadline"),
    "truncate": (fault(FILE, Fault.TRUNCATE), "gamma", "index-truncated"),
    "reset": (fault(FILE, Fault.RESET), "gamma", "index-truncated"),
    "replaced": (file_replaced, "gamma", "hash-mismatch"),
    "damaged": (file_damaged, "gamma", "file-damaged"),
    "build": (nothing, "unbuildable", "build-failed"),
}


@pytest.mark.parametrize("case", INSTALLING)
def test_installing_reports_what_the_index_did_and_keeps_the_old_generation(settled: Host, case: str) -> None:
    break_index, package, code = INSTALLING[case]
    settled.manifest(web("alpha==1.0", package))
    assert settled.envsync("lock").code == 0
    before = state(settled)
    shutil.rmtree(settled.root / ".envsync/cache", ignore_errors=True)
    break_index(settled)

    started = time.monotonic()
    ran = settled.envsync("apply", "--yes", "--output", "json", "--timeout", f"{SECONDS:g}")

    assert time.monotonic() - started < SECONDS + SLACK
    assert ran.code == 1, ran.out + ran.err
    failure: dict[str, Any] = finished(ran)["web"]["failure"]
    assert failure["code"] == code, failure
    assert failure["hint"], failure
    assert state(settled) == before


def test_the_last_lines_of_a_failed_build_are_shown(settled: Host) -> None:
    settled.manifest(web("unbuildable"))
    assert settled.envsync("lock").code == 0
    ran = settled.envsync("apply", "--yes")
    assert ran.code == 1
    assert "no compiler here" in ran.err
    assert "\x1b" not in ran.err + ran.out


def test_a_temporary_fault_is_tried_again(settled: Host) -> None:
    settled.index.broken[PAGE] = 503
    settled.index.faulty[FILE] = Fault.TRUNCATE
    settled.index.patience.update({PAGE: 1, FILE: 1})
    settled.manifest(web("gamma"))
    (settled.directory / "locks/pylock.web.toml").unlink(missing_ok=True)
    ran = settled.envsync("apply", "--yes")
    assert ran.code == 0, ran.err
    assert settled.index.patience[PAGE] < 0
    assert settled.index.patience[FILE] < 0


def test_there_are_at_most_three_attempts(settled: Host) -> None:
    settled.index.broken[PAGE] = 500
    settled.manifest(web("gamma"))
    requests_before = len(settled.index.requests)
    assert settled.envsync("lock", "--upgrade").code == 1
    assert settled.index.requests[requests_before:] == [PAGE] * 3


def test_an_index_that_never_answers_is_given_up_after_four_environments(settled: Host) -> None:
    """Four environments are locked at the same time. If the index answers none of them, the others are not tried."""
    settled.index.faulty["/simple/*"] = Fault.HANG
    settled.manifest("".join(web(f"p{number}").replace("web", f"e{number:02}") for number in range(16)))
    requests_before = len(settled.index.requests)
    started = time.monotonic()
    ran = settled.envsync("lock", "--timeout", f"{SECONDS:g}")
    assert ran.code == 1
    assert "did not answer in time" in ran.err
    assert "e15: not tried, because " in ran.err
    assert time.monotonic() - started < 2 * SECONDS + SLACK
    assert 4 <= len(settled.index.requests) - requests_before < 8


def test_a_page_that_hangs_only_fails_the_environment_that_needs_it(host: Host) -> None:
    host.index.faulty[PAGE] = Fault.HANG
    names = [f"e{number}" for number in range(6)]
    host.manifest("".join(web("gamma" if name == "e0" else "beta").replace("web", name) for name in names))
    ran = host.envsync("apply", "--yes", "--output", "json", "--timeout", f"{SECONDS:g}")
    assert ran.code == 4, ran.err
    ended = finished(ran)
    assert {name: ended[name]["status"] for name in names} == dict.fromkeys(names, "applied") | {"e0": "blocked"}
    assert ended["e0"]["failure"]["code"] == "index-slow"


def wrong_hash(host: Host) -> None:
    host.index.lies[WHEEL] = "0" * 64


def wrong_wheel(host: Host, name: str, version: str, *, described_as: bytes = b"") -> None:
    """Replace gamma's wheel by a different one; `described_as` is the metadata that the index shows (PEP 658)."""
    made = make_wheel(host.index.directory, name, version)
    made.replace(host.index.directory / WHEEL)
    if described_as:
        host.index.described[WHEEL] = described_as


def metadata_of(name: str, version: str) -> bytes:
    return f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n".encode()


def needy(host: Host) -> None:
    """Give gamma a dependency that the metadata of the index lack."""
    make_wheel(host.index.directory, "gamma", "0.1", requires=["beta>9"])
    host.index.described[WHEEL] = metadata_of("gamma", "0.1")


GAMMA = metadata_of("gamma", "0.1")
WRONG_DATA: dict[str, tuple[Break, str]] = {
    "hash": (wrong_hash, "hash-mismatch"),
    "version": (lambda host: wrong_wheel(host, "gamma", "0.2"), "wheel-mislabelled"),
    "name-hidden": (lambda host: wrong_wheel(host, "delta", "0.1", described_as=GAMMA), "wheel-mislabelled"),
    "version-hidden": (lambda host: wrong_wheel(host, "gamma", "0.2", described_as=GAMMA), "wheel-mislabelled"),
    "dependency-hidden": (needy, "probe-failed"),
}


def test_a_wheel_with_a_different_name_cannot_be_locked(settled: Host) -> None:
    wrong_wheel(settled, "delta", "0.1")
    settled.manifest(web("alpha==1.0", "gamma"))
    (settled.directory / "locks/pylock.web.toml").unlink(missing_ok=True)
    before = state(settled)
    ran = settled.envsync("apply", "--yes")
    assert ran.code == 1
    assert "a wheel contradicts its own file name: Package metadata name `delta`" in ran.err
    assert "\nhint: " in ran.err
    assert state(settled) == before


@pytest.mark.parametrize("case", WRONG_DATA)
def test_wrong_data_from_an_index_is_detected(settled: Host, case: str) -> None:
    break_index, code = WRONG_DATA[case]
    break_index(settled)
    settled.manifest(web("alpha==1.0", "gamma") + "  probes: [dependencies]\n")
    (settled.directory / "locks/pylock.web.toml").unlink(missing_ok=True)
    before = state(settled)

    ran = settled.envsync("apply", "--yes", "--output", "json", "--timeout", f"{SECONDS:g}")

    assert ran.code == 1, ran.out + ran.err
    failure: dict[str, Any] = finished(ran)["web"]["failure"]
    assert failure["code"] == code, failure
    assert failure["hint"], failure
    assert state(settled)[:2] == before[:2]  # a generation that failed a probe is kept for inspection
