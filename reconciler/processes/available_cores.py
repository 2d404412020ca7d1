"""How many processors this process may use: what its affinity and the limits of its container leave of the machine.

`os.cpu_count()` counts those of the machine. A container with two processors of 64 would start 64 installers.
"""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from reconciler.fs.read import read_regular
from reconciler.processes.affinity import processors_of_affinity

_GROUPS = Path("/proc/self/cgroup")
_MOUNT = Path("/sys/fs/cgroup")
_LARGEST_BYTES = 64 * 1024


def available_cores(*, groups: Path = _GROUPS, mount: Path = _MOUNT) -> int:
    """Return the number of processors, at least 1; a limit of 1.5 processors counts as 2.

    `groups` is the file that names the control groups of this process (cgroups(7)), `mount` where they are mounted.
    """
    return max(1, min([processors_of_affinity(), *_limits(groups, mount)]))


def _limits(groups: Path, mount: Path) -> Iterator[int]:
    """Yield the limit of each control group that this process is in, in processors, rounded up."""
    for directory in _directories(groups, mount):
        with suppress(OSError, ValueError, ZeroDivisionError):
            quota, period = _text(directory / "cpu.max").split()  # version 2
            yield -(-int(quota) // int(period))  # a quota `max` does not limit
        with suppress(OSError, ValueError, ZeroDivisionError):
            quota = _text(directory / "cpu.cfs_quota_us")  # version 1
            if int(quota) > 0:
                yield -(-int(quota) // int(_text(directory / "cpu.cfs_period_us")))


def _directories(groups: Path, mount: Path) -> Iterator[Path]:
    """Yield the directory of each control group, from the innermost one to the mount point.

    A container often sees only its own group, at the mount point.
    """
    try:
        lines = _text(groups).splitlines()
    except OSError:
        lines = []
    for line in lines:
        _, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if controllers and "cpu" not in controllers.split(","):
            continue
        top = mount / controllers if controllers else mount
        inner = top.joinpath(*(part for part in path.split("/") if part not in {"", ".."}))
        yield from (each for each in (inner, *inner.parents) if each.is_relative_to(mount))


def _text(path: Path) -> str:
    return read_regular(path, limit=_LARGEST_BYTES, follow=True).decode("utf-8", "surrogateescape")
