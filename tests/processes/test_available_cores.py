"""How many processors envsync uses by default: those that affinity and control groups leave, never fewer than one."""

import os
from pathlib import Path

import pytest

from reconciler.processes.available_cores import available_cores

V1 = "12:pids:/a\n4:cpu,cpuacct:/b\n1:name=systemd:/x\n"


@pytest.mark.parametrize(
    ("groups", "files", "cores"),
    [
        ("0::/\n", {}, 8),
        ("0::/a/b\n", {"a/b/cpu.max": "max 100000\n"}, 8),
        ("0::/a/b\n", {"a/b/cpu.max": "200000 100000\n"}, 2),
        ("0::/a/b\n", {"a/b/cpu.max": "150000 100000\n"}, 2),
        ("0::/a/b\n", {"a/b/cpu.max": "1000 100000\n"}, 1),
        ("0::/a/b\n", {"a/b/cpu.max": "400000 100000\n", "a/cpu.max": "300000 100000\n"}, 3),
        ("0::/a/b\n", {"a/b/cpu.max": "1600000 100000\n"}, 8),
        ("0::/not/visible/here\n", {"cpu.max": "400000 100000\n"}, 4),
        ("0::/../outside\n", {"cpu.max": "400000 100000\n"}, 4),
        ("0::/a\n", {"a/cpu.max": "nonsense\n", "cpu.max": "5 0\n"}, 8),
        ("0::/a\n", {"a/cpu.max": ""}, 8),
        ("0::/a\n", {"a/cpu.max": f"1{'0' * 400} 1\n"}, 8),
        ("0::/a\n", {"a/cpu.max": "-100000 100000\n"}, 1),
        ("", {"cpu.max": "200000 100000\n"}, 8),
        (V1, {"cpu,cpuacct/b/cpu.cfs_quota_us": "250000\n", "cpu,cpuacct/b/cpu.cfs_period_us": "100000\n"}, 3),
        (V1, {"cpu,cpuacct/cpu.cfs_quota_us": "100000\n", "cpu,cpuacct/cpu.cfs_period_us": "50000\n"}, 2),
        (V1, {"cpu,cpuacct/b/cpu.cfs_quota_us": "-1\n", "cpu,cpuacct/b/cpu.cfs_period_us": "100000\n"}, 8),
        (V1, {"cpu,cpuacct/b/cpu.cfs_quota_us": "100000\n"}, 8),
        (V1, {"pids/a/cpu.cfs_quota_us": "100000\n", "pids/a/cpu.cfs_period_us": "100000\n"}, 8),
    ],
)  # fmt: skip
def test_limits_of_control_groups_count(
    groups: str, files: dict[str, str], cores: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(8)), raising=False)
    listed, mount = tmp_path / "cgroup", tmp_path / "mount"
    listed.write_text(groups, encoding="ascii")
    for name, text in files.items():
        (mount / name).parent.mkdir(parents=True, exist_ok=True)
        (mount / name).write_text(text, encoding="ascii")
    assert available_cores(groups=listed, mount=mount) == cores


def test_without_proc_the_affinity_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {1, 3, 5}, raising=False)
    assert available_cores(groups=tmp_path / "missing", mount=tmp_path) == 3


@pytest.mark.parametrize(("count", "cores"), [(4, 4), (None, 1)])
def test_without_affinity_the_processors_of_the_machine_count(
    count: int | None, cores: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(_: int) -> set[int]:
        raise OSError(38, "Function not implemented")

    monkeypatch.setattr(os, "cpu_count", lambda: count)
    monkeypatch.setattr(os, "sched_getaffinity", refused, raising=False)
    assert available_cores(groups=tmp_path / "missing", mount=tmp_path) == cores
    monkeypatch.delattr(os, "sched_getaffinity")
    assert available_cores(groups=tmp_path / "missing", mount=tmp_path) == cores
