"""One generation that cannot be deleted stops no other, and is reported once."""

import json
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from reconciler.state.layout import Layout
from tests.functional.host_state import generations
from tests.host import Host, base_environment

WEB = 'web:\n  python: "3.11"\n  packages: [%s]\n  keep_generations: 1\n'
VERSIONS = ("alpha==1.0", "alpha==1.1", "beta", "gamma")


@contextmanager
def immutable(path: Path) -> Iterator[None]:
    """Make a file undeletable, also for the superuser, while the block runs."""
    done = subprocess.run(["chattr", "+i", path], capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"no immutable files here: {done.stderr}")
    try:
        yield
    finally:
        subprocess.run(["chattr", "-i", path], check=True)


@pytest.fixture
def thrice(host: Host) -> Host:
    """Return a host whose generations 1 and 2 can be deleted."""
    if not shutil.which("chattr"):
        pytest.skip("chattr is not installed")
    for packages in VERSIONS[:3]:
        host.manifest(WEB % packages)
        assert host.envsync("apply", "--yes", "--no-gc").code == 0
    return host


def test_a_generation_that_cannot_be_deleted_stops_no_other_and_is_reported_once(thrice: Host) -> None:
    first = thrice.root / ".envsync/generations/web/1"
    with immutable(first / "venv/pyvenv.cfg"):
        ran = thrice.envsync("apply", "--yes")
        assert ran.code == 4
        assert f"`{first}` could not be deleted: venv/pyvenv.cfg: Operation not permitted" in ran.err
        assert generations(thrice, "web") == [1, 3]
        for _ in range(2):
            again = thrice.envsync("apply", "--yes")
            assert again.code == 0, again.err
            assert f"note: web: `{first}` could not be deleted: venv/pyvenv.cfg: " in again.err
        as_json = thrice.envsync("apply", "--yes", "--output", "json")
        assert as_json.code == 0
        assert any(each["type"] == "notice" for each in as_json.events())
        thrice.manifest(WEB % "gamma")
        assert thrice.envsync("apply", "--yes").code == 0
        assert generations(thrice, "web") == [1, 4]
        collected = thrice.envsync("gc", "--output", "json")
        assert collected.code == 1
        assert [(each["generation"], each["failure"]) for each in json.loads(collected.out)] == [
            (1, "venv/pyvenv.cfg: Operation not permitted")
        ]
    assert thrice.envsync("gc").code == 0
    assert generations(thrice, "web") == [4]
    assert not Layout(thrice.root).undeletable.exists()


def test_another_reason_is_reported_again(thrice: Host) -> None:
    first = thrice.root / ".envsync/generations/web/1"
    with immutable(first / "venv/pyvenv.cfg"):
        assert [thrice.envsync("apply", "--yes").code for _ in range(2)] == [4, 0]
    with immutable(first):
        ran = thrice.envsync("apply", "--yes")
        assert ran.code == 4
        assert f"`{first}` could not be deleted: venv: Operation not permitted" in ran.err


def test_a_generation_with_a_damaged_record_of_its_environment_stops_no_other(host: Host) -> None:
    both = WEB % "%s" + (WEB % "%s").replace("web", "job")
    for packages in VERSIONS[:2]:
        host.manifest(both % (packages, packages))
        assert host.envsync("apply", "--yes", "--no-gc").code == 0
    Layout(host.root).record("web").write_text("{")
    host.envsync("gc")
    assert generations(host, "web") == [1, 2]
    assert generations(host, "job") == [2]


@pytest.mark.skipif(os.geteuid() != 0 or sys.platform != "linux", reason="needs the superuser, to mount an overlay")
def test_a_root_in_a_lower_layer_of_an_image_is_collected(host: Host) -> None:
    host.manifest(WEB % VERSIONS[0])
    host.apply()
    layers = host.directory.with_name("layers")
    for name in ("upper", "work"):
        (layers / name).mkdir(parents=True)
    options = f"lowerdir={host.directory},upperdir={layers}/upper,workdir={layers}/work"
    mount = f"mount -t overlay overlay -o {shlex.quote(options)} {shlex.quote(str(host.directory))}"

    def in_layer(command: str) -> "subprocess.CompletedProcess[str]":
        script = f"{mount} && cd {shlex.quote(str(host.directory))} && {command}"
        return subprocess.run(
            ["unshare", "-m", "sh", "-c", script],
            env={**base_environment(), **host.env},
            capture_output=True,
            text=True,
            check=False,
        )

    python = shlex.quote(sys.executable)
    if in_layer("true").returncode:
        pytest.skip("no overlay can be mounted here")
    if in_layer(f'{python} -c \'import os; os.rename(".envs/.envsync", ".envs/moved")\'').returncode == 0:
        pytest.skip("this overlay can move directories of a lower layer")
    envsync = f"{python} -m reconciler"
    for packages in VERSIONS[1:]:
        change = in_layer(f"sed -i 's/packages: .*/packages: [{packages}]/' envs.yaml && {envsync} apply --yes")
        assert change.returncode == 0, change.stderr
    assert in_layer(f"{envsync} apply --yes").returncode == 0
    assert in_layer(f"{envsync} gc").returncode == 0
    listed = in_layer("cd .envs/.envsync/generations/web && find . -mindepth 1 -maxdepth 1 -type d | sort")
    assert listed.stdout.split() == ["./4", "./current"]
