"""The one root of every error that envsync raises on purpose, and one subclass a stage.

An error carries what a person needs: a message, a hint, and the process exit code (design, section 9).
It is caught once, in `reconciler.cli`.
"""

from dataclasses import dataclass
from typing import ClassVar


class EnvsyncError(Exception):
    """Something could not be done; `message` says what, `hint` what to do about it.

    Never raised itself: each subclass has a `code` of its own, which is stable.
    """

    exit_code: ClassVar[int] = 1
    code: ClassVar[str] = "error"

    def __init__(self, message: str, *, hint: str | None = None, details: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.details = details


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where in a text file something stands; `line` and `column` count from 1, `width` in characters."""

    file: str
    line: int
    column: int
    width: int = 1

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One thing that is wrong in an input file.

    `path` is the key path (`environments.web.packages[1]`, empty for the file as a whole); `context` holds the
    source lines to show as (number, text), credentials already blotted out. `caret` is where, in the last of them, the
    place is shown (column from 1, width), where that is known.
    """

    message: str
    path: str = ""
    place: Place | None = None
    hint: str | None = None
    context: tuple[tuple[int, str], ...] = ()
    caret: tuple[int, int] | None = None


class UsageError(EnvsyncError):
    """The command line asks for something that cannot be."""

    exit_code = 3
    code = "usage"


class ManifestError(EnvsyncError):
    """The manifest, or a file that it names, is wrong; `problems` lists all of it, in file order."""

    exit_code = 3
    code = "manifest"

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        first = problems[0]
        where = f"{first.place}: " if first.place else ""
        what = f"{first.path}: " if first.path else ""
        super().__init__(f"{where}{what}{first.message}", hint=first.hint)
        self.problems = problems


class RevisionError(EnvsyncError):
    """A git revision, or what it has of manifest and locks, cannot be read."""

    exit_code = 3
    code = "revision"


class LockError(EnvsyncError):
    """A lock is unreadable, stale where it must be fresh, or breaks the manifest's rules."""

    exit_code = 3
    code = "lock"


class PlanFileError(EnvsyncError):
    """A saved plan is foreign, unreadable, or no longer fits what it was made from."""

    exit_code = 3
    code = "plan-file"


class SnapshotError(EnvsyncError):
    """A snapshot is unreadable, of an unknown format, or of something else than the manifest asks for."""

    exit_code = 3
    code = "snapshot"


class InterpreterError(EnvsyncError):
    """No interpreter on this machine satisfies a request, or one could not be asked for its facts."""

    code = "interpreter"


class ResolveError(EnvsyncError):
    """The engine found no set of packages that satisfies what is asked for."""

    code = "resolve"


class EngineError(EnvsyncError):
    """A package tool failed; its last words are in `details`."""

    code = "engine"


class StateError(EnvsyncError):
    """What envsync keeps below the root is unreadable or cannot be written."""

    code = "state"


class LockTimeoutError(EnvsyncError):
    """Another process held the root's lock for longer than we were told to wait."""

    code = "lock-timeout"


class ObserveError(EnvsyncError):
    """What is on disk could not be read at all (permissions, a vanishing file system)."""

    code = "observe"


class ApplyError(EnvsyncError):
    """An environment could not be built, verified, probed or published; what was live stays live."""

    code = "apply"


class FileSystemError(EnvsyncError):
    """The operating system refused something that no stage expects to be refused."""

    code = "os-error"


class OutputError(EnvsyncError):
    """What there is to say could not be written (a full disk)."""

    code = "output"


class PlatformError(EnvsyncError):
    """envsync does not run on this operating system."""

    code = "platform"


class InterruptedByUserError(EnvsyncError):
    """A signal asked us to stop; nothing is half-done."""

    exit_code = 130
    code = "interrupted"


class RunError(EnvsyncError):
    """The environment cannot be entered."""

    exit_code = 125
    code = "run"


class NotExecutableError(EnvsyncError):
    """The command was found and cannot be executed."""

    exit_code = 126
    code = "not-executable"


class NotFoundError(EnvsyncError):
    """The command is neither in the environment nor on PATH."""

    exit_code = 127
    code = "command-not-found"
