"""What a failure of uv means: its exit codes do not tell (1 is unsatisfiable, mismatch and network alike)."""

import re

from reconciler.engines.child import Completed
from reconciler.errors import EngineError, ResolveError
from reconciler.manifest.urls import blot_out

_NOISE = re.compile(r"^(Using Python|Resolved|Prepared|Audited|warning: `--system-certs`)")

_BUILD = re.compile(
    r"building from source is disabled|uilding source distributions (for `[^`]*` )?is disabled|"
    r"marked as `--no-build` but has no binary"
)
_UNREACHABLE = re.compile(
    r"[Ee]rror sending request|Failed to fetch|Could not connect|HTTP status|could not be queried|"
    r"An index \S+ returned a \d{3}"
)
# "Failed to install: six-1.17.0-py2.py3-none-any.whl (six==1.17.0) cause: The wheel is invalid: ..."
_DAMAGED = re.compile(r"Failed to install: \S+ \((?P<name>[a-z0-9][a-z0-9-]*)==[^)]*\)")


class BuildNeededError(EngineError):
    """Metadata or a wheel is only to be had by building a source distribution, and building was forbidden."""

    code = "build-needed"


class OfflineError(EngineError):
    """Something is not in the cache, and the network was forbidden."""

    code = "offline"


class HashMismatchError(EngineError):
    """A file is not the one that the lock names."""

    code = "hash-mismatch"


class DamagedCacheError(EngineError):
    """What the cache holds of `packages` (normalized names) cannot be installed: somebody's hand changed it.

    With hard links, an edit in an environment is an edit in the cache.
    """

    code = "damaged-cache"

    def __init__(self, packages: tuple[str, ...], details: tuple[str, ...]) -> None:
        super().__init__(f"the cache holds damaged files of {', '.join(packages)}", details=details)
        self.packages = packages


class IndexUnreachableError(EngineError):
    """An index did not answer, or refused."""

    code = "index-unreachable"


class DeadlineError(EngineError):
    """The engine took longer than its deadline."""

    code = "deadline"


def failure_of(command: list[str], done: Completed, timeout: float) -> EngineError | ResolveError:
    """Turn a failed run of uv into the error that says what happened, uv's own words as details."""
    words = tuple(blot_out(line) for line in done.last_words(30) if not _NOISE.match(line))
    text = " ".join(" ".join(words).split())
    name = "uv " + " ".join(command)
    if done.timed_out:
        return DeadlineError(f"{name} did not end within {timeout:g} seconds", details=words)
    if _BUILD.search(text):
        return BuildNeededError("a source distribution would have to be built", details=words)
    if re.search(r"\b(?:Hash|Size) mismatch for `", text):
        return HashMismatchError(
            "a file is not the one that the lock names",
            hint="find out who changed the file; `envsync lock --upgrade` accepts a new one",
            details=words,
        )
    if re.search(r"network was disabled|[Nn]etwork connectivity is disabled", text):
        return OfflineError("not in the cache, and --offline forbids the network", details=words)
    if _UNREACHABLE.search(text):
        return IndexUnreachableError("an index did not answer as it should", details=words)
    if command == ["pip", "sync"] and (damaged := _DAMAGED.findall(text)):
        return DamagedCacheError(tuple(sorted(set(damaged))), words)
    if re.search(r"No solution found|not found in the package registry|unsatisfiable|conflicting URLs", text):
        return ResolveError("no set of packages satisfies what is asked for", details=words)
    return EngineError(f"{name} failed with exit code {done.returncode}", details=words)
