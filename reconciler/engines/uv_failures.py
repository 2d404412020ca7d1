"""What a failure of uv means: its exit codes do not tell (1 is unsatisfiable, mismatch and network alike)."""

import re
from dataclasses import dataclass

from reconciler.engines.index_failures import index_failure
from reconciler.errors import EngineError, ResolveError
from reconciler.processes.child import Completed
from reconciler.processes.credentials import without

_DETAIL_LINES = 30
_NOISE = re.compile(r"^(Using Python|Resolved|Prepared|Audited|warning: `--system-certs`)")
_BUILD_NEEDED = re.compile(
    r"building from source is disabled|uilding source distributions (for `[^`]*` )?is disabled|"
    r"marked as `--no-build` but has no binary"
)
# "Failed to install: six-1.17.0-py2.py3-none-any.whl (six==1.17.0) cause: The wheel is invalid: ..."
_DAMAGED = re.compile(r"Failed to install: \S+ \((?P<name>[a-z0-9][a-z0-9-]*)==[^)]*\)")
_NO_WHEEL = re.compile(r"has no (?:usable )?wheels|has no wheels with a matching|no wheels (?:are|is) available")
_UNSATISFIABLE = re.compile(r"^No solution found|not found in the package registry|unsatisfiable|conflicting URLs")


class BuildNeededError(EngineError):
    """Metadata or a wheel is only to be had by building a source distribution, and building was forbidden."""

    code = "build-needed"


class BuildFailedError(EngineError):
    """A source distribution could not be built; its backend's last lines are in `details`."""

    code = "build-failed"


class GitError(EngineError):
    """A repository or a revision of it could not be had."""

    code = "git"


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
        super().__init__(
            f"the cache holds damaged files of {', '.join(packages)}",
            hint="fetched anew they are no better: ask whoever runs the index",
            details=details,
        )
        self.packages = packages


class ReservedNameError(EngineError):
    """A wheel has a script of a name that is the environment's own (`python`, `python3`, ...)."""

    code = "reserved-name"


class MislabelledWheelError(EngineError):
    """A wheel's metadata name another package or version than its file name does."""

    code = "wheel-mislabelled"


class DeadlineError(EngineError):
    """The engine took longer than its deadline."""

    code = "deadline"


_MISLABELLED = (
    "Wheel version does not match filename",
    "Wheel package name does not match filename",
    "Package metadata name `",
    "Package metadata version `",
)


class PackageNotFoundError(ResolveError):
    """No index has a package of that name (404)."""

    code = "not-found"


class YankedError(ResolveError):
    """Only a version that its author took back (PEP 592) would fit."""

    code = "yanked"


class NoWheelError(ResolveError):
    """No wheel fits the interpreter, and there is no source distribution that could be built."""

    code = "no-wheel"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Told:
    """What uv said: `error: ...`, its causes, its hints, and all of it on one line.

    Whatever an index or a build backend put into it is indented deeper, so it cannot pose as a cause or a hint.
    """

    error: str
    causes: tuple[str, ...]
    hints: tuple[str, ...]
    flat: str

    @classmethod
    def of(cls, stderr: bytes) -> "_Told":
        lines = stderr.decode("utf-8", "replace").split("\n")  # no other line end: an index could have put it there
        errors = [line.removeprefix("error: ") for line in lines if line.startswith("error: ")]
        return cls(
            error=errors[0] if errors else "",
            causes=tuple(
                errors[:1] + [line.removeprefix("  cause: ") for line in lines if line.startswith("  cause: ")]
            ),
            hints=tuple(line.removeprefix("hint: ") for line in lines if line.startswith("hint: ")),
            flat=" ".join(" ".join(lines).split()),
        )

    def cause(self, *beginnings: str) -> bool:
        """Say whether a cause begins so."""
        return any(each.startswith(beginnings) for each in self.causes)


def failure_of(
    command: list[str], done: Completed, timeout: float, secrets: tuple[str, ...] = ()
) -> EngineError | ResolveError:
    """Turn a failed run of uv into the error that says what happened, uv's own words, less `secrets`, as details."""
    words = tuple(without(secrets, line) for line in done.last_words(_DETAIL_LINES) if not _NOISE.match(line))
    told = _Told.of(done.stderr)
    name = "uv " + " ".join(command)
    if done.timed_out:
        return DeadlineError(
            f"{name} did not end within {timeout:g} seconds",
            hint="an index that answers too slowly, or a build that hangs; --timeout gives more time",
            details=words,
        )
    if _BUILD_NEEDED.search(told.flat):
        return BuildNeededError("a source distribution would have to be built", details=words)
    if told.cause("Hash mismatch for `", "Size mismatch for `"):
        return HashMismatchError(
            "a file is not the one that the lock names",
            hint="find out who changed the file; `envsync lock --upgrade` accepts a new one",
            details=words,
        )
    if re.search(r"network was disabled|[Nn]etwork connectivity is disabled", told.flat):
        return OfflineError("not in the cache, and --offline forbids the network", details=words)
    if failure := index_failure(told.causes, told.hints, words):
        return failure
    if told.cause("Git operation failed"):
        return GitError(
            "a repository could not be fetched",
            hint="check the URL and the revision, and that `git fetch` works here without asking for anything",
            details=words,
        )
    if told.cause("Failed to build", "The build backend returned an error", "Failed to resolve requirements from"):
        return BuildFailedError(
            "a source distribution could not be built",
            hint="what the build said is above; it may need a compiler, or a library of the system",
            details=words,
        )
    if told.cause("Scripts must not use the reserved name"):
        return ReservedNameError(
            f"a script of {', '.join(sorted(set(_DAMAGED.findall(told.flat)))) or 'a package'} would take the place of "
            "the environment's own interpreter",
            hint="do without that package, or ask its author to give the script another name",
            details=words,
        )
    if told.cause(*_MISLABELLED):
        return MislabelledWheelError(
            f"a wheel is not what its name says: {next(each for each in told.causes if each.startswith(_MISLABELLED))}",
            hint="ask whoever made it, or whoever runs the index; another version may be well",
            details=words,
        )
    if command == ["pip", "sync"] and (damaged := _DAMAGED.findall(told.flat)):
        return DamagedCacheError(tuple(sorted(set(damaged))), words)
    if _UNSATISFIABLE.search(told.flat) or told.cause("No solution found"):
        return _unsatisfiable(told, words)
    return EngineError(f"{name} failed with exit code {done.returncode}", details=words)


def _unsatisfiable(told: _Told, words: tuple[str, ...]) -> ResolveError:
    """Say why no set of packages satisfies, as far as one reason stands out."""
    if " was yanked" in told.flat:
        return YankedError(
            "no version fits but one that was yanked: its author took it back",
            hint="ask for another version; `==` names a yanked one on purpose",
            details=words,
        )
    if missing := re.findall(r"\b([A-Za-z0-9][A-Za-z0-9._-]*) was not found in the package registry", told.flat):
        return PackageNotFoundError(
            f"no index has {', '.join(sorted(set(missing)))}",
            hint="check the spelling, and whether `indexes` names the one that has it",
            details=words,
        )
    if _NO_WHEEL.search(told.flat):
        return NoWheelError(
            "no wheel fits this interpreter, and there is no source to build",
            hint="ask for another version, or another `python`",
            details=words,
        )
    return ResolveError(
        "no set of packages satisfies what is asked for",
        hint="the reason is above; loosen one of the requirements or constraints that it names",
        details=words,
    )
