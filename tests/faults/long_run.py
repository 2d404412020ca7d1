"""A long run in one root: `python -m tests.faults.long_run --applies 150 --checks 500`.

Applies that toggle between manifests, with checks, rollbacks and restores in between. Every path below the root must
be of a known kind; after each cycle through the manifests there must be as many of each kind as before.
"""

import argparse
import os
import re
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from statistics import fmean

import reconciler
from reconciler.apply.collected_path import MOST_LINKS
from reconciler.exit_codes import FAILURE, PARTLY_APPLIED, SUCCESS
from reconciler.options import PlanOptions
from reconciler.state.history import MOST_BYTES
from tests.host import Host, base_environment, new_host

_WEB = 'web:\n  python: "3.11"\n  packages: [%s]\n  keep_generations: 2\n'
_HOOKS = '{after_publish: [["true"]], before_delete: [["true"]]}'
_JOB = f'job:\n  python: "3.11"\n  packages: [%s]\n  depends_on: [web]\n  hooks: {_HOOKS}\n'
_FAILING = "  probes:\n    - import: nothing_of_this_name\n"
# Each with the exit codes of its apply, and the command that follows the checks.
_CYCLE = (
    (_WEB % "alpha==1.0" + _JOB % "beta", {SUCCESS}, ("rollback", "web")),
    (_WEB % "alpha==1.1" + _JOB % "beta, gamma", {SUCCESS}, ()),
    (_WEB % "alpha==1.0" + _FAILING + _JOB % "beta, gamma", {FAILURE, PARTLY_APPLIED}, ()),
    (_WEB % "alpha==1.0", {SUCCESS}, ("rollback", "job")),  # deletes `job`, which is then restored
    (_WEB % "alpha==1.1" + "  description: changed\n", {SUCCESS}, ("gc",)),  # deletes it again
)
# Every path below the root has a kind: the first that fits. docs/design.md, "On disk", says what bounds each.
_KINDS = {
    "environments": r"web|job",
    "collected paths": r"\.envsync/generations/\w+/(\d+|current(/venv)?)",
    "generations": r"\.envsync/generations(/\w+(/\d+/.*)?)?",
    "records": r"\.envsync/environments(/\w+\.json)?",
    "deleted environments": r"\.envsync/deleted(/\w+\.json)?",
    "history": r"\.envsync/history\.jsonl",
    "interpreters of the package cache": r"\.envsync/cache/uv/interpreter-v\d+(/.*)?",
    "package cache": r"\.envsync/cache/uv(/.*)?",
    "file hashes": r"\.envsync/cache/inodes",
    "what the file system can do": r"\.envsync/cache/file-system\.json",
    "interpreters": r"\.envsync/cache/interpreters\.json",
    "contents of wheels": r"\.envsync/cache/wheels\.json",
    "manifest readings": r"\.envsync/cache/manifest-[0-9a-f]{8}",
    "agreements": r"\.envsync/cache/agreed(/\w+(\.own)?)?",
    "fixed": r"\.gitignore|\.envsync|\.envsync/(cache|lock|adopted|root\.json|masking-key)",
}
_BOUNDS = {  # of what grows; everything else must not
    "collected paths": 2 * (MOST_LINKS + 2),
    "interpreters of the package cache": 2 * len(_CYCLE) + 2,
}


@dataclass(kw_only=True)
class LongRun:
    """What a long run measured: counts and bytes by kind after each cycle, seconds of each apply and check."""

    kinds: list[Counter[str]] = field(default_factory=list)
    sizes: list[Counter[str]] = field(default_factory=list)
    descriptors: list[int] = field(default_factory=list)
    temporary: list[int] = field(default_factory=list)
    applies: list[float] = field(default_factory=list)
    checks: list[float] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


def long_run(
    host: Host,
    temporary: Path,
    applies: int,
    checks: int,
    on_cycle: Callable[[LongRun], None],
    *,
    until: float = float("inf"),
) -> LongRun:
    """Run applies and checks on a new host; `temporary` is the temporary directory, used by nothing else.

    No new cycle begins after `until` (monotonic), but there are at least three.
    """
    run = LongRun()
    ambient = {**base_environment(), **host.env, "TMPDIR": str(temporary)}
    for number in range(applies):
        if number % len(_CYCLE) == 0 and number >= 3 * len(_CYCLE) and time.monotonic() > until:
            break
        manifest, codes, command = _CYCLE[number % len(_CYCLE)]
        host.manifest(manifest)
        begun = time.monotonic()
        proposal = reconciler.load(host.directory / "envs.yaml", ambient=ambient).plan(
            options=PlanOptions(build=True, resolve=True)
        )
        code = proposal.apply().exit_code
        run.applies.append(time.monotonic() - begun)
        if code not in codes:
            run.problems.append(f"apply {number + 1} exits {code}")
        while len(run.checks) < checks * (number + 1) // applies:
            begun = time.monotonic()
            checked = host.envsync("check", "-q")
            run.checks.append(time.monotonic() - begun)
            if (checked.code == SUCCESS) != (codes == {SUCCESS}):
                run.problems.append(f"check after apply {number + 1} exits {checked.code}")
        if command and number:  # after the first apply there is nothing older
            ran = host.envsync(*command)
            if ran.code:
                run.problems.append(f"{' '.join(command)} after apply {number + 1} exits {ran.code}: {ran.err}")
        if number % len(_CYCLE) == len(_CYCLE) - 1:
            _measure(run, host.root, temporary)
            on_cycle(run)
    _judge(run)
    return run


def ratio(seconds: list[float]) -> float:
    """Return the mean of the last tenth, divided by the mean of the first tenth after the first cycle."""
    later = seconds[len(_CYCLE) :] or seconds
    tenth = max(1, len(later) // 10)
    return fmean(later[-tenth:]) / fmean(later[:tenth])


def section(run: LongRun) -> str:
    """Return the result as Markdown."""
    summary = (
        f"{len(run.applies)} applies and {len(run.checks)} checks in one root: upgrades, rollbacks, deletes and "
        "restores, hooks, a probe that fails. The last tenth took, in relation to the first tenth: "
        f"applies {ratio(run.applies):.2f}, checks {ratio(run.checks):.2f}. "
        f"Open descriptors: {run.descriptors[0]} after the first cycle, {run.descriptors[-1]} after the last; "
        f"temporary files: {run.temporary[-1]}."
    )
    lines = [
        summary,
        "",
        "| kind | files after the second cycle | after the last | KiB after the second cycle | after the last |",
        "|---|---:|---:|---:|---:|",
    ]
    second = min(1, len(run.kinds) - 1)
    lines += [
        f"| {kind} | {run.kinds[second][kind]} | {run.kinds[-1][kind]} "
        f"| {run.sizes[second][kind] / 1024:.0f} | {run.sizes[-1][kind] / 1024:.0f} |"
        for kind in _KINDS
    ]
    return "\n".join([*lines, "", *(f"Problem: {each}" for each in run.problems)])


def _measure(run: LongRun, root: Path, temporary: Path) -> None:
    kinds: Counter[str] = Counter()
    sizes: Counter[str] = Counter()
    for place, names, files in os.walk(root):
        for name in names + files:
            path = Path(place, name)
            inside = path.relative_to(root).as_posix()
            kind = next((kind for kind, pattern in _KINDS.items() if re.fullmatch(pattern, inside)), None)
            if kind == "collected paths" and not path.is_symlink() and path.name != "current":
                kind = "generations"
            if kind is None:
                run.problems.append(f"left behind: {inside}")
                continue
            kinds[kind] += 1
            sizes[kind] += path.lstat().st_size
    run.kinds.append(kinds)
    run.sizes.append(sizes)
    run.descriptors.append(len(os.listdir("/dev/fd")))
    run.temporary.append(len(os.listdir(temporary)))


def _judge(run: LongRun) -> None:
    """Compare the last cycle with the second: in the first one, caches are filled."""
    second, last = run.kinds[min(1, len(run.kinds) - 1)], run.kinds[-1]
    for kind in _KINDS:
        if last[kind] > _BOUNDS.get(kind, second[kind]) or (kind not in _BOUNDS and last[kind] < second[kind]):
            run.problems.append(f"{kind}: {second[kind]} after the second cycle, {last[kind]} after the last")
    if run.sizes[-1]["history"] > MOST_BYTES:
        run.problems.append(f"the history has {run.sizes[-1]['history']} bytes")
    if len(set(run.descriptors)) > 1:
        run.problems.append(f"open descriptors: {run.descriptors}")
    if any(run.temporary):
        run.problems.append(f"temporary files: {run.temporary}")


def main() -> int:
    """Run, and print the result; return 1 if there was a problem."""
    found = argparse.ArgumentParser(prog="python -m tests.faults.long_run", description=__doc__)
    found.add_argument("--applies", type=int, default=150, help="number of applies (default: %(default)s)")
    found.add_argument("--checks", type=int, default=500, help="number of checks (default: %(default)s)")
    found.add_argument("--minutes", type=float, default=60.0, help="no new cycle after that (default: %(default)s)")
    options = found.parse_args()
    until = time.monotonic() + 60 * options.minutes

    def on_cycle(run: LongRun) -> None:
        print(f"{len(run.applies)} applies, the last in {run.applies[-1]:.1f} s", file=sys.stderr)

    with tempfile.TemporaryDirectory(prefix="long-run-") as place:
        temporary = Path(place, "temporary")
        temporary.mkdir()
        tempfile.tempdir = str(temporary)
        with new_host(Path(place, "host")) as host:
            run = long_run(host, temporary, options.applies, options.checks, on_cycle, until=until)
    print(section(run))
    return int(bool(run.problems))


if __name__ == "__main__":
    sys.exit(main())
