"""The tree of errors that envsync raises on purpose. `reconciler.cli` catches the root, `EnvsyncError`, once.

An error has a message (what is wrong, and where), a hint (what to do about it), a stable code, and the exit code of a
command that it ends. docs/troubleshooting.md lists every code with its cause and cure.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from reconciler import exit_codes
from reconciler.backticks import list_in_backticks

CREDENTIALS_HINT = (
    "keep credentials out of files: set `UV_INDEX_<NAME>_USERNAME`, `UV_INDEX_<NAME>_PASSWORD` and "
    "`UV_INDEX_<NAME>_HOST`, or use netrc"
)
DIRECT_CREDENTIALS_HINT = "keep credentials out of files: use netrc, or for git a credential helper"


class EnvsyncError(Exception):
    """The root of the tree, never raised itself; each subclass has a stable `code`.

    `message` says what is wrong, `hint` what to do about it (None: nothing is known that helps); `details` are lines of
    a child process's output, or other particulars. None of them is escaped.
    """

    exit_code: ClassVar[int] = exit_codes.FAILURE
    code: ClassVar[str] = "error"

    def __init__(self, message: str, *, hint: str | None, details: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.details = details


# Input: the command line and the files that it names.


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A position in a text file; `line` and `column` count from 1, `width` is in characters."""

    file: str
    line: int
    column: int
    width: int = 1

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One thing that is wrong in an input file.

    `path` is the key path (`environments.web.packages[1]`, empty for the whole file). `context` holds the source lines
    to show as (number, text), already redacted. `caret` marks the place in the last of them as (column from 1, width),
    if it is known.
    """

    message: str
    path: str = ""
    place: Place | None = None
    hint: str | None
    context: tuple[tuple[int, str], ...] = ()
    caret: tuple[int, int] | None = None


class UsageError(EnvsyncError):
    """The command line is invalid."""

    exit_code = exit_codes.INVALID_INPUT
    code = "usage"


class ManifestError(EnvsyncError):
    """The manifest, or a file that it names, is invalid; `problems` lists everything that is wrong, in file order.

    If it is `incomplete`, there are more, and the last problem says so.
    """

    exit_code = exit_codes.INVALID_INPUT
    code = "manifest"

    def __init__(self, problems: tuple[Problem, ...], *, incomplete: bool = False) -> None:
        first = problems[0]
        where = f"{first.place}: " if first.place else ""
        what = f"{first.path}: " if first.path else ""
        super().__init__(f"{where}{what}{first.message}", hint=first.hint)
        self.problems = problems
        self.incomplete = incomplete


class RevisionError(EnvsyncError):
    """A git revision, or its manifest and locks, cannot be read."""

    exit_code = exit_codes.INVALID_INPUT
    code = "revision"


class LockError(EnvsyncError):
    """A lock cannot be read, is out of date where it must not be, or breaks a rule of the manifest."""

    exit_code = exit_codes.INVALID_INPUT
    code = "lock"


class NewerLockError(LockError):
    """A lock has the format of a newer envsync (`lock-version`)."""

    code = "newer-lock"


class RefusedLockError(LockError):
    """A lock is valid, but the manifest does not allow what it contains, such as a file on a host of no index."""

    code = "lock-refused"


class UnsetVariableError(LockError):
    """A variable that the builds of an environment take from the shell (`build_env`) is not set."""

    exit_code = exit_codes.FAILURE
    code = "unset-variable"


class LockWriteError(EnvsyncError):
    """A lock could not be written."""

    code = "lock-write"


class PlanFileError(EnvsyncError):
    """A saved plan cannot be read, was made elsewhere, or no longer matches what it was made from."""

    exit_code = exit_codes.INVALID_INPUT
    code = "plan-file"


class SnapshotError(EnvsyncError):
    """A snapshot cannot be read, has an unknown format, or is of another project."""

    exit_code = exit_codes.INVALID_INPUT
    code = "snapshot"


# The machine: interpreters, state, files.


class InterpreterError(EnvsyncError):
    """No interpreter on this machine satisfies a request, or one could not be queried.

    `found` are the versions of those that exist; `unused` says why one that might satisfy it is not used.
    """

    code = "interpreter"

    def __init__(
        self,
        message: str,
        *,
        hint: str | None,
        details: tuple[str, ...] = (),
        found: tuple[str, ...] = (),
        unused: str = "",
    ) -> None:
        super().__init__(message, hint=hint, details=details)
        self.found = found
        self.unused = unused


class OldInterpreterError(InterpreterError):
    """A program is a Python that is too old to be asked for its facts, such as Python 2."""

    code = "interpreter-old"


class RefusedInterpreterError(InterpreterError):
    """A program must not be started as an interpreter; `curable` if it could be one but for who may change it."""

    code = "interpreter-refused"

    def __init__(self, message: str, *, hint: str, curable: bool) -> None:
        super().__init__(message, hint=hint)
        self.curable = curable


class StateError(EnvsyncError):
    """A file that envsync keeps below the root cannot be read or written."""

    code = "state"


class RootOwnerError(StateError):
    """The root belongs to a different user, who could not read or replace what this process would write."""

    code = "root-owner"


class RootWritableError(StateError):
    """Users other than the owner may write to the root, and so could change what runs from it."""

    code = "root-writable"


class RootTrackedError(StateError):
    """git tracks files of the root, or the key of the user, so that a commit can change them."""

    code = "root-tracked"


class UntrustedRootError(StateError):
    """The root was not made by envsync as this user at this place: it came with a commit, or it is a copy."""

    code = "root-untrusted"


class RootFileSystemError(StateError):
    """The file system of the root lacks something that envsync needs, such as file locks."""

    code = "root-file-system"


class DamagedStateError(StateError):
    """A record or a seal is damaged, or belongs to a different environment."""

    code = "state-damaged"


class NewerFormatError(StateError):
    """A record or a seal has the format of a newer envsync."""

    code = "newer-format"
    cure: ClassVar[str] = "use the envsync that made it, or a newer one"


class InventoryError(StateError):
    """An inventory is missing, damaged, or in a format that this version does not read; `problem` says which."""

    code = "inventory"

    def __init__(self, path: str, problem: str) -> None:
        super().__init__(f"{path}: {problem}", hint=None)
        self.problem = problem


class LockTimeoutError(EnvsyncError):
    """Another process kept the root locked for longer than `--lock-timeout`."""

    code = "lock-timeout"


class ObserveError(EnvsyncError):
    """An environment could not be read at all."""

    code = "observe"


class FileSystemError(EnvsyncError):
    """The operating system reported an error that no stage expects."""

    code = "os-error"


class OutputError(EnvsyncError):
    """The output could not be written (the disk is full, for example)."""

    code = "output"


class PlatformError(EnvsyncError):
    """envsync does not run on this operating system."""

    code = "platform"


# Package tools: what every engine (`reconciler.engines.engine`) raises.


class ResolveError(EnvsyncError):
    """No set of packages satisfies the requirements."""

    code = "resolve"


class PackageNotFoundError(ResolveError):
    """No index has a package of that name (404)."""

    code = "not-found"


class YankedError(ResolveError):
    """The only version that satisfies the requirements was yanked by its author (PEP 592)."""

    code = "yanked"


class NoWheelError(ResolveError):
    """No wheel fits the interpreter, and no source distribution exists."""

    code = "no-wheel"


class NotTriedError(ResolveError):
    """An environment was not resolved, because the indexes did not answer for any of those before it."""

    code = "not-tried"


class EngineError(EnvsyncError):
    """A package tool failed; `details` has the last lines of its output.

    `cached` are packages (normalized names) that may succeed after they are deleted from the engine's cache.
    """

    code = "engine"
    cached: tuple[str, ...] = ()

    def failed_again(self) -> None:
        """Adapt the message to a second failure, after the packages in `cached` were fetched again."""


class BuildNeededError(EngineError):
    """A source distribution would have to be built, and that is not allowed."""

    code = "build-needed"


class BuildFailedError(EngineError):
    """A source distribution could not be built; `details` has the last lines of its backend's output."""

    code = "build-failed"


class GitError(EngineError):
    """A repository, or a revision in it, could not be fetched."""

    code = "git"


class OfflineError(EngineError):
    """A file is not in the cache, and the network may not be used."""

    code = "offline"


class HashMismatchError(EngineError):
    """A file's hash is not the one in the lock."""

    code = "hash-mismatch"


class DamagedCacheError(EngineError):
    """Files of `packages` (normalized names) in the cache cannot be used: they are damaged there or at the source.

    With hard links, a file that is edited in an environment is edited in the cache as well.
    """

    code = "damaged-cache"

    def __init__(self, packages: tuple[str, ...], details: tuple[str, ...]) -> None:
        super().__init__(
            f"the cached files of {list_in_backticks(packages)} cannot be used",
            hint=f"require a different version of {list_in_backticks(packages)}, or report it to its author",
            details=details,
        )
        self.cached = self.packages = packages

    def failed_again(self) -> None:
        """Say that the cache is not the cause."""
        self.message = f"{list_in_backticks(self.packages)} cannot be used, even after the cached files were deleted"


class UnsafeCacheError(EngineError):
    """Someone else may have written to the package cache of the user (`cache: user`)."""

    code = "unsafe-cache"


class ReservedNameError(EngineError):
    """A wheel has a script with a name that the environment itself needs (`python`, `python3`, ...)."""

    code = "reserved-name"


class MislabelledWheelError(EngineError):
    """A wheel's metadata contradicts the name or version in its file name."""

    code = "wheel-mislabelled"


class DeadlineError(EngineError):
    """A package tool took longer than its deadline."""

    code = "deadline"


class IndexFailureError(EngineError):
    """An index, or the server of a direct URL, did not return what was requested.

    Its hint is `default_hint`, unless a better one is given.
    """

    code = "index"
    default_hint: ClassVar[str] = "ask the operator of the index"

    def __init__(self, message: str, *, hint: str | None, details: tuple[str, ...] = ()) -> None:
        super().__init__(message, hint=hint or self.default_hint, details=details)


class IndexForbiddenError(IndexFailureError):
    """An index requires credentials, or rejects the given ones (401, 403, 407)."""

    code = "index-forbidden"
    default_hint = CREDENTIALS_HINT


class IndexUnreachableError(IndexFailureError):
    """No connection to an index: refused, unknown host, no route, or an untrusted certificate."""

    code = "index-unreachable"
    default_hint = "check the index's URL, the network, and the proxy variables"


class IndexSlowError(IndexFailureError):
    """An index did not answer in time."""

    code = "index-slow"
    default_hint = "try again later; the index, or a proxy in front of it, does not answer in time"


class IndexTruncatedError(IndexFailureError):
    """An index ended an answer before it was complete."""

    code = "index-truncated"
    default_hint = "try again; if it happens again, a proxy or the index truncates answers"


class IndexServerError(IndexFailureError):
    """An index reported an error of its own, or too many requests (5xx, 429)."""

    code = "index-server-error"
    default_hint = "try again later; the error is on the index's side"


class FileDamagedError(IndexFailureError):
    """A file from an index is not a valid archive."""

    code = "file-damaged"
    default_hint = "try again; if it happens again, the file is damaged on the index or by a proxy"


class FileGoneError(IndexFailureError):
    """A file is no longer at the URL that the lock or a requirement names (404, 410)."""

    code = "file-gone"
    default_hint = "check the URL; for a file that a lock names, `envsync lock --upgrade-package NAME` finds a new one"


# Apply.


class ApplyError(EnvsyncError):
    """An environment could not be built, verified, probed or published; the published generation stays published."""

    code = "apply"


class RecordMismatchError(ApplyError):
    """Installed files differ from their RECORD; `packages` are the normalized names of the packages that have them.

    `files` maps the path of each such file, relative to the environment, to its package. `than` is what they differ
    from. `outside` maps files that a package installs outside the environment. `contents` has the SHA-256 (hexadecimal)
    of files that differ, empty for one that is missing. `changing` means that files changed while they were read.
    """

    code = "record-mismatch"

    def __init__(
        self,
        files: Mapping[str, str],
        *,
        than: str = "`RECORD`",
        outside: Mapping[str, str] | None = None,
        contents: Mapping[str, str] | None = None,
        changing: bool = False,
    ) -> None:
        outside = outside or {}
        self.contents = dict(contents or {})
        self.packages = tuple(sorted({*files.values(), *outside.values()}))
        differ = "1 installed file differs" if len(files) == 1 else f"{len(files)} installed files differ"
        message = f"{differ} from {than}: {list_in_backticks(sorted(files))}"
        if outside:
            named = list_in_backticks(sorted(set(outside.values())))
            message = f"{named} would install files outside the environment: {list_in_backticks(sorted(outside))}"
        hint = f"require a different version of {list_in_backticks(self.packages)}, or report it to its author"
        super().__init__(message, hint=hint)
        self._explained = bool(outside) or not (self.contents or changing)
        self._changing = changing

    def explain(self, before: "RecordMismatchError | None") -> None:
        """Say why the files differ, after their packages were fetched again; `before` is how they differed then."""
        if self._explained or before is None:
            return
        differing = list_in_backticks(sorted(self.contents))
        if before.contents == self.contents and not self._changing:
            self.message = (
                f"`RECORD` in {list_in_backticks(self.packages)} does not match the package's own files: {differing}"
            )
            return
        self.message = f"files changed while the environment was built: {differing}"
        self.hint = "find the program that changes files below the root, stop it, then run the command again"


class ProbeError(ApplyError):
    """A probe failed, so the generation is not published."""

    code = "probe-failed"


class HookError(ApplyError):
    """A hook did not exit with 0; after a publish, the new generation stays published."""

    exit_code = exit_codes.PARTLY_APPLIED
    code = "hook-failed"


class HookChangedError(HookError):
    """A hook changed the environment that it runs in."""

    code = "hook-changed-environment"


class HealthError(ApplyError):
    """The health check of a published generation did not pass in time."""

    exit_code = exit_codes.PARTLY_APPLIED
    code = "health-failed"


class RolledBackError(ApplyError):
    """A new generation failed after it was published, and the previous one is published again."""

    exit_code = exit_codes.PARTLY_APPLIED
    code = "rolled-back-after-failure"


class CollectError(ApplyError):
    """An old generation could not be deleted; the environments themselves are as planned."""

    code = "gc-failed"


class InterruptedByUserError(EnvsyncError):
    """A signal interrupted the command; every environment is either old or new."""

    exit_code = exit_codes.INTERRUPTED
    code = "interrupted"


# `envsync run`.


class RunError(EnvsyncError):
    """`run` could not enter the environment."""

    exit_code = exit_codes.RUN_FAILED
    code = "run"


class NotExecutableError(EnvsyncError):
    """`run` found the command, but it is not executable."""

    exit_code = exit_codes.NOT_EXECUTABLE
    code = "not-executable"


class NotFoundError(EnvsyncError):
    """`run` found the command neither in the environment nor on PATH."""

    exit_code = exit_codes.COMMAND_NOT_FOUND
    code = "command-not-found"
