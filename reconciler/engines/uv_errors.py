"""Turns a failed run of uv into an error. Its exit codes do not suffice: 1 is unsatisfiable, mismatch and network."""

import errno
import re
from dataclasses import dataclass

from packaging.utils import canonicalize_name

from reconciler.backticks import in_backticks, list_in_backticks
from reconciler.engines.uv_index_errors import KnownIndexes, uv_index_error
from reconciler.errors import (
    BuildFailedError,
    BuildNeededError,
    DamagedCacheError,
    DeadlineError,
    EngineError,
    GitError,
    HashMismatchError,
    MislabelledWheelError,
    NoWheelError,
    OfflineError,
    PackageNotFoundError,
    ReservedNameError,
    ResolveError,
    YankedError,
)
from reconciler.fs.os_error_hint import os_error_hint
from reconciler.manifest.desired import Index
from reconciler.manifest.index_rules import pinned_to
from reconciler.processes.child import Completed
from reconciler.processes.credentials import without_secrets

_DETAIL_LINES = 30
_NOISE = re.compile(r"^(Using Python|Resolved|Prepared|Audited|warning: `--system-certs`)")
# Options and settings of uv that envsync does not have: its own hints say what to do.
_UNUSABLE_ADVICE = re.compile(
    r" By default, uv will only consider versions that are published on the first index .*"
    r"| If the failing package is not present on this index, consider adding `ignore-error-codes.*"
)
_FURTHER_INDEX = re.compile(r"^`[^`]+` was found on \S+, but not at the requested version .*subsequent index")
_BUILD_NEEDED = re.compile(
    r"building from source is disabled|uilding source distributions (for `[^`]*` )?is disabled|"
    r"marked as `--no-build` but has no binary"
)
# "Failed to install: six-1.17.0-py2.py3-none-any.whl (six==1.17.0) cause: The wheel is invalid: ..."
_DAMAGED = re.compile(r"Failed to install: \S+ \((?P<name>[a-z0-9][a-z0-9-]*)==[^)]*\)")
# "Failed to build `six==1.17.0`", "Failed to download and build `six @ git+https://...`"
_FAILED = re.compile(r"Failed to (?:read|download|build|download and build) `(?P<name>[a-z0-9][a-z0-9-]*)(?:==| @ )")
_CACHE_ENTRY = r"[^`]*/(?:archive|sdists|wheels|git)-v[0-9]+/[^`]*"  # a path in uv's cache
_DAMAGED_ENTRY = re.compile(
    r"Failed to deserialize cache entry$"
    rf"|failed to (?:read from|open|read) (?:file|directory) `{_CACHE_ENTRY}`"
    rf"|Failed to extract archive: {_CACHE_ENTRY}$"
    rf"|`{_CACHE_ENTRY}` does not appear to be a Python project"
)
_NOT_FOUND = re.compile(r"(?<![A-Za-z0-9._-])([A-Za-z0-9][A-Za-z0-9._-]*) was not found in the package registry")
_NO_VERSIONS = re.compile(r"\bno versions of ([A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)(?![A-Za-z0-9<>=!~\[])")
_NO_WHEEL = re.compile(r"has no (?:usable )?wheels|has no wheels with a matching|no wheels (?:are|is) available")
_UNSATISFIABLE = re.compile(r"^No solution found|not found in the package registry|unsatisfiable|conflicting URLs")
_NOT_LOCKED = re.compile(r"failed to lock `(?P<directory>[^`]*)/[^`/]*`: ")
_SYSTEM_ERROR = re.compile(r"\(os error ([0-9]{1,5})\)$")
# Not EACCES and EPERM: an unreadable file of the cache is damaged, and is downloaded again.
_OF_FILE_SYSTEM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EMFILE})

_MISLABELLED = (
    "Wheel version does not match filename",
    "Wheel package name does not match filename",
    "Package metadata name `",
    "Package metadata version `",
)
_UV_ADVICE = ", which indicates a malformed wheel. If this is intentional"  # ... set a variable; uv never gets it


@dataclass(frozen=True, slots=True, kw_only=True)
class _UvOutput:
    """What uv wrote to standard error: `error: ...` and its causes, its hints, and all of it on one line.

    uv indents the output of an index or a build backend deeper, so none of it can pass for a cause or a hint.
    """

    causes: tuple[str, ...]
    hints: tuple[str, ...]
    flat: str

    @classmethod
    def of(cls, stderr: bytes) -> "_UvOutput":
        lines = stderr.decode("utf-8", "replace").split("\n")  # an index could have sent any other line break
        errors = [line.removeprefix("error: ") for line in lines if line.startswith("error: ")]
        return cls(
            causes=tuple(
                errors[:1] + [line.removeprefix("  cause: ") for line in lines if line.startswith("  cause: ")]
            ),
            hints=tuple(line.removeprefix("hint: ") for line in lines if line.startswith("hint: ")),
            flat=" ".join(" ".join(lines).split()),
        )

    def has_cause(self, *beginnings: str) -> bool:
        """Return whether a cause begins with one of these texts."""
        return any(each.startswith(beginnings) for each in self.causes)

    def cure_of_system_error(self) -> str | None:
        """Return what to do if a cause ends with an error of this machine's file system, such as a full disk."""
        numbers = (int(found[1]) for each in self.causes if (found := _SYSTEM_ERROR.search(each)))
        return next((os_error_hint(OSError(each, "")) for each in numbers if each in _OF_FILE_SYSTEM), None)

    def unlockable_directory(self) -> str:
        """Return the directory of a file that could not be locked, empty if that is not a cause."""
        found = next(filter(None, map(_NOT_LOCKED.match, self.causes)), None)
        return found["directory"] if found else ""


def uv_error(
    command: list[str],
    done: Completed,
    timeout: float,
    secrets: tuple[str, ...],
    known: KnownIndexes | None,
) -> EngineError | ResolveError:
    """Return the error for a failed run of uv with the indexes `known`; its details are uv's last lines, no secrets."""
    lines = (_UNUSABLE_ADVICE.sub("", line) for line in done.last_lines(_DETAIL_LINES) if not _NOISE.match(line))
    details = tuple(without_secrets(secrets, line) for line in lines)
    output = _UvOutput.of(done.stderr)
    name = "uv " + " ".join(command)
    if done.timed_out:
        return DeadlineError(
            f"{in_backticks(name)} did not finish within {timeout:g} seconds",
            hint="allow more time with `--timeout`",
            details=details,
        )
    if _BUILD_NEEDED.search(output.flat):
        return BuildNeededError(
            "a source distribution would have to be built",
            hint="allow it in `builds`, or require a version with a wheel",
            details=details,
        )
    if unlockable := output.unlockable_directory():
        return EngineError(
            f"file locks do not work on the file system of {in_backticks(unlockable)}",
            hint="set `TMPDIR` to a directory on a local file system",
            details=details,
        )
    command_failed = f"{in_backticks(name)} failed with exit code {done.returncode}"
    if (
        cure := output.cure_of_system_error()
    ):  # before what it may look like: a damaged file of an index or of the cache
        return EngineError(command_failed, hint=cure, details=details)
    if output.has_cause("Hash mismatch for `", "Size mismatch for `"):
        return HashMismatchError(
            "a file's hash is not the one in the lock",
            hint="find out who changed the file, then accept the new one with `envsync lock --upgrade-package NAME`",
            details=details,
        )
    if re.search(r"network was disabled|[Nn]etwork connectivity is disabled", output.flat):
        return OfflineError(
            "a file is not in the cache, and `--offline` forbids the network",
            hint="run the command once without `--offline`, which fills the cache",
            details=details,
        )
    failed = tuple(sorted(set(_FAILED.findall(output.flat))))
    if failed and any(_DAMAGED_ENTRY.match(each) for each in output.causes):
        return DamagedCacheError(failed, details)
    if failure := uv_index_error(output.causes, output.hints, details, known):
        return failure
    if output.has_cause("Git operation failed"):
        return GitError(
            "a repository could not be fetched",
            hint="check the URL and the revision, and that `git fetch` works here without a prompt",
            details=details,
        )
    if output.has_cause(
        "Failed to build", "The build backend returned an error", "Failed to resolve requirements from"
    ):
        error = BuildFailedError(
            "a source distribution could not be built",
            hint="fix what the output above names, such as a missing compiler, library or variable (`build_env`)",
            details=details,
        )
        error.cached = failed
        return error
    if output.has_cause("Scripts must not use the reserved name"):
        listed = list_in_backticks(sorted(set(_DAMAGED.findall(output.flat)))) or "a package"
        return ReservedNameError(
            f"a script of {listed} would replace the environment's own interpreter",
            hint="remove that package, or ask its author to rename the script",
            details=details,
        )
    if output.has_cause(*_MISLABELLED):
        cause = next(each for each in output.causes if each.startswith(_MISLABELLED)).partition(_UV_ADVICE)[0]
        return MislabelledWheelError(
            f"a wheel contradicts its own file name: {cause}",
            hint="require a different version, or report the wheel to its author",
            details=details,
        )
    if command != ["pip", "compile"] and (damaged := _DAMAGED.findall(output.flat)):
        return DamagedCacheError(tuple(sorted(set(damaged))), details)
    if _UNSATISFIABLE.search(output.flat) or output.has_cause("No solution found"):
        return _unsatisfiable(output, details, known.indexes if known else ())
    return EngineError(
        command_failed, hint="fix the problem that the output above shows, then run the command again", details=details
    )


def _unsatisfiable(output: _UvOutput, details: tuple[str, ...], indexes: tuple[Index, ...]) -> ResolveError:
    """Return why no set of packages satisfies the requirements, if there is a single clear reason."""
    if " was yanked" in output.flat:
        return YankedError(
            "the only version that fits was yanked by its author",
            hint="require a different version; `==` selects a yanked one on purpose",
            details=details,
        )
    # The index that ends the search for a pinned package has it, without any version.
    unpublished = [each for each in _NO_VERSIONS.findall(output.flat) if pinned_to(canonicalize_name(each), indexes)]
    if missing := [*_NOT_FOUND.findall(output.flat), *unpublished]:
        names = sorted(set(missing))
        if len(names) == 1 and (owners := pinned_to(canonicalize_name(names[0]), indexes)):
            listed = list_in_backticks(each.name for each in owners)
            return PackageNotFoundError(
                f"package `{names[0]}` was not found on {listed}, the index that it is pinned to",
                hint=f"publish it there, or change the `packages` of {listed}",
                details=details,
            )
        found = f"package `{names[0]}` was" if len(names) == 1 else f"packages {list_in_backticks(names)} were"
        return PackageNotFoundError(
            f"{found} not found on any index",
            hint="correct the name, or add the index that has it to `indexes`",
            details=details,
        )
    if _NO_WHEEL.search(output.flat):
        return NoWheelError(
            "no wheel fits this interpreter, and no source distribution exists to build",
            hint="require a different version, or a different `python`",
            details=details,
        )
    further = any(_FURTHER_INDEX.match(each) for each in output.hints)
    return ResolveError(
        "no set of packages satisfies the requirements",
        hint="the first index that has a package decides: change the order of `indexes`, or pin it with `packages`"
        if further
        else "loosen one of the requirements or constraints named above",
        details=details,
    )
