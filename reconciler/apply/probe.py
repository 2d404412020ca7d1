"""Run probes, which a generation must pass before it is published, and hooks, which run after it or before a delete.

Their programs run with the environment's `bin` first on PATH, the manifest's `env`, and few variables of the caller.
They write no bytecode into the environment.
"""

import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import assert_never

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from reconciler.backticks import in_backticks
from reconciler.diff.masking import Disclosure
from reconciler.errors import HealthError, HookError, ProbeError
from reconciler.fs.access import callers_umask
from reconciler.interpreters.model import Interpreter
from reconciler.manifest.desired import CommandProbe, DependenciesProbe, ImportProbe, Probe
from reconciler.observe.actual import ActualEnvironment
from reconciler.observe.metadata import read_requirements
from reconciler.processes.child import run_child
from reconciler.processes.credentials import credentials_of, without_secrets
from reconciler.processes.environ import allowed_environment
from reconciler.processes.scratch import scratch_directory

_HOOK_SECONDS = 300.0
_HOOK_HINT = "fix the hook, then run the command again, which runs it again; `--skip-hooks` continues without hooks"
# What a program was run for, and the hint if it failed, by the error that it raises.
_FAILURES: Mapping[type[ProbeError | HookError | HealthError], tuple[str, str]] = {
    ProbeError: ("probe", "fix the probe, or the packages that it tests, then run the command again"),
    HookError: ("hook", _HOOK_HINT),
    HealthError: ("health check", "fix the service or the check, then run the command again to repeat the check"),
}


def child_environment(venv: Path, extra: Mapping[str, str], ambient: Mapping[str, str]) -> dict[str, str]:
    """Return the variables for a program that runs in `venv`: allow-listed `ambient` ones, and `extra` over them."""
    base = allowed_environment(ambient)
    base["PATH"] = f"{venv / 'bin'}:{base['PATH']}"
    return {**base, "VIRTUAL_ENV": str(venv), "PYTHONDONTWRITEBYTECODE": "1", **extra}


def run_probe(
    probe: Probe,
    venv: Path,
    observed: ActualEnvironment,
    interpreter: Interpreter,
    env: Mapping[str, str],
    disclosure: Disclosure,
) -> str:
    """Run one probe on the venv at its final path; return the name of the passed check. Raises ProbeError."""
    match probe:
        case ImportProbe():
            argv = (str(venv / "bin" / "python"), "-c", f"import importlib; importlib.import_module({probe.module!r})")
            _run("import " + probe.module, argv, env, probe.timeout, disclosure, failed=ProbeError)
            return f"import {probe.module}"
        case CommandProbe():
            command = disclosure.shown(probe.argv)
            _run(command, probe.argv, env, probe.timeout, disclosure, failed=ProbeError)
            return command
        case DependenciesProbe():
            broken = broken_dependencies(venv, observed, interpreter)
            if broken:
                raise ProbeError(
                    "probe `dependencies` failed: " + "; ".join(broken),
                    hint="run `envsync lock --upgrade`, or add constraints so that the packages fit together",
                )
            return "dependencies"
        case _:
            assert_never(probe)


def runs_programs(probes: Iterable[Probe]) -> bool:
    """Return whether any probe runs a program, which may write files; a dependencies probe only reads."""
    return any(not isinstance(each, DependenciesProbe) for each in probes)


def run_hooks(moment: str, hooks: Sequence[Sequence[str]], env: Mapping[str, str], disclosure: Disclosure) -> None:
    """Run the hooks of a `moment` one after another; raises HookError at the first one that does not exit with 0."""
    for number, argv in enumerate(hooks):
        place = f"hooks.{moment}[{number}]" if disclosure.hides(argv) and len(hooks) > 1 else ""
        _run(disclosure.shown(argv), argv, env, _HOOK_SECONDS, disclosure, failed=HookError, place=place)


def run_health_check(argv: Sequence[str], env: Mapping[str, str], timeout: float, disclosure: Disclosure) -> None:
    """Run a health check once, for at most `timeout` seconds; raises HealthError if it does not exit with 0."""
    _run(disclosure.shown(argv), argv, env, timeout, disclosure, failed=HealthError)


def broken_dependencies(venv: Path, observed: ActualEnvironment, interpreter: Interpreter) -> list[str]:
    """Return a sentence for each unmet requirement of an installed distribution, as `pip check` does."""
    installed = {each.key: each.version for each in observed.distributions}
    broken = []
    for each in observed.distributions:
        for line in read_requirements(venv / each.place):
            try:
                requirement = Requirement(line)
            except InvalidRequirement:
                broken.append(f"`{each.key}` {each.version} has an unreadable requirement: {in_backticks(line)}")
                continue
            if requirement.marker and not requirement.marker.evaluate({**interpreter.markers, "extra": ""}):
                continue
            version = installed.get(canonicalize_name(requirement.name))
            if version is None:
                broken.append(f"`{each.key}` {each.version} requires `{requirement.name}`, which is not installed")
            elif not _satisfies(requirement, version):
                broken.append(f"`{each.key}` {each.version} requires `{requirement}`, but {version} is installed")
    return broken


def _satisfies(requirement: Requirement, version: str) -> bool:
    try:
        return requirement.specifier.contains(Version(version), prereleases=True)
    except InvalidVersion:
        return False


def _run(
    command: str,
    argv: Sequence[str],
    env: Mapping[str, str],
    timeout: float,
    disclosure: Disclosure,
    *,
    failed: type[ProbeError | HookError | HealthError],
    place: str = "",
) -> None:
    """Run a program in an empty directory; raise `failed` unless it exits with 0 within `timeout` seconds.

    Credentials in `env`, and all that `disclosure` does not allow, are redacted in the last lines of its output.
    `place` is where the manifest has the command, if `command` alone does not identify it.
    """
    kind, hint = _FAILURES[failed]
    shown = f"{kind} {in_backticks(command)}" + (f" ({in_backticks(place)})" if place else "")
    program = _find(argv[0], env["PATH"])
    if program is None:
        what = f"{shown} failed: {in_backticks(argv[0])} was not found in the environment or on `PATH`"
        raise failed(what, hint=hint)
    with scratch_directory("probe") as empty:
        try:
            done = run_child([program, *argv[1:]], env=env, cwd=empty, timeout=timeout, umask=callers_umask())
        except OSError as error:
            raise failed(f"{shown} failed: {error.strerror}", hint=hint) from error
    if done.ok:
        return
    secrets = credentials_of(env, disclosure.secrets)
    output = tuple(without_secrets(secrets, line) for line in done.last_lines())
    if done.timed_out:
        raise failed(f"{shown} did not finish within {timeout:g} seconds", hint=hint, details=output)
    ended = f"exit code {done.returncode}" if done.returncode > 0 else f"signal {-done.returncode}"
    raise failed(f"{shown} failed with {ended}", hint=hint, details=output)


def _find(program: str, path: str) -> str | None:
    """Return the path of `program`, looked up in the directories of `path`; None if it was not found.

    The first directory is the environment's `bin`. A name that exists there is never taken from elsewhere, even as a
    symbolic link to a missing interpreter.
    """
    if "/" in program:
        return program
    own, *others = path.split(":")
    for directory in (own,) if os.path.lexists(os.path.join(own, program)) else others:  # noqa: PTH118
        candidate = os.path.join(directory, program)  # noqa: PTH118  # text in, text out
        if os.access(candidate, os.X_OK) and os.path.isfile(candidate):  # noqa: PTH113
            return candidate
    return None
