"""Chooses the interpreter for a request: a version, a specifier set (PEP 440), or an absolute path."""

import os
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from packaging.specifiers import InvalidSpecifier, Specifier, SpecifierSet
from packaging.version import InvalidVersion, Version

from reconciler.backticks import in_backticks
from reconciler.canonical_json import to_json
from reconciler.errors import InterpreterError
from reconciler.fs.atomic_write import write_cache
from reconciler.fs.authentic_json import authentic_json, read_authentic_json
from reconciler.interpreters.discover import Candidate, discover_interpreters, why_not_base
from reconciler.interpreters.model import Interpreter
from reconciler.interpreters.query import query_interpreter
from reconciler.manifest.desired import DesiredEnvironment


def request_specifier(request: str) -> SpecifierSet | None:
    """Return the versions that satisfy `request` (`3.12` is `==3.12.*`); None for an absolute path."""
    if request.startswith("/"):
        return None
    try:
        version = Version(request)
    except InvalidVersion:
        return SpecifierSet(request)
    return SpecifierSet(f"=={request}" if len(version.release) > 2 or version.is_prerelease else f"=={request}.*")


def lower_bound(request: str, interpreter: Interpreter) -> str:
    """Return the Python version to resolve a lock for, so that all machines create the same lock."""
    specifiers = request_specifier(request)
    if specifiers is None:
        return interpreter.series
    lowest = []
    for each in specifiers:
        bound = _bound(each)
        if bound is not None and each.operator in {">=", "==", "~=", "==="}:
            lowest.append(bound)
        elif bound is not None and each.operator == ">":  # the bound itself is excluded: use the next patch release
            lowest.append(Version(f"{bound}.1") if len(bound.release) == 2 and not bound.is_prerelease else bound)
    return str(max(lowest)) if lowest else interpreter.series


def best_for(specifiers: SpecifierSet, interpreters: Iterable[Interpreter]) -> Interpreter | None:
    """Return the best interpreter that satisfies a request, the first among equals; None if there is none."""
    fitting = (each for each in interpreters if specifiers.contains(each.version, prereleases=True))
    return max(fitting, key=_preference, default=None)


class Chooser(Protocol):
    """Chooses an interpreter: among those of this machine, or those that a snapshot lists."""

    def choose(self, request: str, *, keep: str = "") -> Interpreter:
        """Return `keep` (a path) if it satisfies `request`, otherwise the best interpreter that does."""


def choose_for(environment: DesiredEnvironment, interpreters: Chooser, *, keep: str = "") -> Interpreter:
    """Return the interpreter of an environment; raises InterpreterError."""
    return interpreters.choose(environment.python, keep=keep)


class Interpreters:
    """The interpreters of this machine, discovered and queried once a run; facts are cached by the file's stat."""

    def __init__(self, ambient: Mapping[str, str], *, outside: Path | None, cache: Path | None) -> None:
        self._ambient = ambient
        self._outside = outside
        self._cache_file = cache
        self._facts: dict[str, dict[str, object]] = _load(cache)
        self._candidates: tuple[Candidate, ...] | None = None
        self._dirty = False

    def choose(self, request: str, *, keep: str = "") -> Interpreter:
        """Return the interpreter for `request`: `keep` (a path) while it satisfies it, else the newest that does.

        Raises InterpreterError, listing those found, where there is none.
        """
        if request.startswith("/"):
            return self._at_path(request)
        try:
            specifiers = request_specifier(request)
        except InvalidSpecifier as error:
            raise InterpreterError(f"not a python request: {in_backticks(request)}") from error
        assert specifiers is not None  # noqa: S101  # not a path, as checked above
        kept = self.kept(keep)
        if kept is not None and specifiers.contains(kept.version, prereleases=True):
            return kept
        best = best_for(specifiers, self._possible(specifiers))  # among equals, the first that was discovered
        if best is None:
            raise self._none_for(request)
        return best

    def kept(self, path: str) -> Interpreter | None:
        """Return the interpreter at `path`, which a generation uses; None if it is gone or must not be started."""
        if path and not why_not_base(path, self._outside):  # a record in the repository may contain anything
            with suppress(InterpreterError):
                return self._query(path)
        return None

    def save(self) -> None:
        """Keep the facts for the next run; in a read-only root, the next run queries the interpreters again.

        Those of interpreters that are gone are dropped.
        """
        if self._cache_file is None or not self._dirty or not self._cache_file.parent.is_dir():
            return
        self._forget_gone()
        with suppress(OSError):
            write_cache(self._cache_file, authentic_json(str(self._cache_file), {"interpreters": to_json(self._facts)}))

    def collect(self) -> int:
        """Drop the facts of interpreters that are gone, save, and return how many there were."""
        gone = self._forget_gone()
        self._dirty = self._dirty or bool(gone)
        self.save()
        return gone

    def _forget_gone(self) -> int:
        gone = [path for path in self._facts if not os.path.exists(path)]  # noqa: PTH110  # any text, also with NUL
        for path in gone:
            del self._facts[path]
        return len(gone)

    def _at_path(self, path: str) -> Interpreter:
        if where := why_not_base(path, self._outside):
            raise InterpreterError(
                f"`{path}` is {where}",
                hint="name a base interpreter outside of the repository and of virtual environments",
            )
        try:
            return self._query(path)
        except InterpreterError as error:
            hint = error.hint or "name an interpreter of this machine, or write a version such as `3.12`"
            raise InterpreterError(error.message, hint=hint, details=error.details or self._found()) from error

    def _possible(self, specifiers: SpecifierSet) -> list[Interpreter]:
        """Query the candidates that their name does not already rule out."""
        queried = []
        for candidate in self._all():
            if candidate.series and not _series_may_satisfy(candidate.series, specifiers):
                continue
            with suppress(InterpreterError):
                queried.append(self._query(candidate.path))
        return queried

    def _all(self) -> tuple[Candidate, ...]:
        if self._candidates is None:
            self._candidates = discover_interpreters(self._ambient, outside=self._outside)
        return self._candidates

    def _query(self, path: str) -> Interpreter:
        try:
            stat = Path(path).stat()
        except OSError as error:
            raise InterpreterError(f"no interpreter at `{path}`: {error.strerror}") from error
        signature = [stat.st_ino, stat.st_size, stat.st_mtime_ns, *_host()]
        entry = self._facts.get(path)
        if entry is not None and entry.get("signature") == signature:
            with suppress(KeyError, TypeError, ValueError):
                return _cached_interpreter(path, entry)
        queried = query_interpreter(path)
        self._facts[path] = {
            "signature": signature,
            "version": queried.version,
            "implementation": queried.implementation,
            "markers": dict(queried.markers),
            "tags": list(queried.tags),
        }
        self._dirty = True
        return queried

    def _none_for(self, request: str) -> InterpreterError:
        return InterpreterError(
            f"no interpreter on this machine satisfies python {in_backticks(request)}",
            hint="install one, or change `python`; envsync does not download interpreters",
            details=self._found(),
        )

    def _found(self) -> tuple[str, ...]:
        """Return a line for each interpreter of this machine, the newest first."""
        found: list[tuple[str, str]] = []
        for candidate in self._all():
            with suppress(InterpreterError):
                found.append((self._query(candidate.path).version, candidate.path))
        found.sort(key=lambda each: Version(each[0]), reverse=True)
        return ("found:", *(f"  {version}  {path}" for version, path in found)) if found else ("found none",)


def _host() -> tuple[str, str, str, str]:
    """Return the facts that depend on the machine rather than the interpreter: kernel, processor, C library."""
    uname = os.uname()
    libc = os.confstr("CS_GNU_LIBC_VERSION") if "CS_GNU_LIBC_VERSION" in os.confstr_names else None
    return (uname.release, uname.version, uname.machine, libc or "")


def _preference(interpreter: Interpreter) -> tuple[bool, bool, bool, Version]:
    """Prefer CPython, a final release, the usual ABI (neither free-threaded nor a debug build), and the newest."""
    version = Version(interpreter.version)
    tag, _, rest = interpreter.tags[0].partition("-") if interpreter.tags else ("", "", "")
    return (
        interpreter.implementation == "cpython",
        not version.is_prerelease,
        rest.startswith(f"{tag}-"),
        version,
    )


def _bound(specifier: Specifier) -> Version | None:
    """Return the version in a specifier, None for an arbitrary text after `===`."""
    try:
        return Version(specifier.version.removesuffix(".*"))
    except InvalidVersion:
        return None


def _series_may_satisfy(series: str, specifiers: SpecifierSet) -> bool:
    """Return whether any release of a series could satisfy the specifiers; True if that is not certain."""
    low, high = Version(f"{series}.0a0"), Version(f"{series}.9999")
    for each in specifiers:
        bound = _bound(each)
        if bound is None:
            continue
        match each.operator:
            case ">=" | ">" if high < bound:
                return False
            case "<" | "<=" if low > bound:
                return False
            case "==" | "===" | "~=" if bound.release[:2] != high.release[:2] and len(bound.release) > 1:
                if each.operator != "~=" or len(bound.release) > 2:
                    return False
            case _:
                pass
    return True


def _load(cache: Path | None) -> dict[str, dict[str, object]]:
    """Return the cached facts; none if the cache cannot be read."""
    if cache is None:
        return {}
    try:
        stored = read_authentic_json(str(cache)).get("interpreters")
    except (OSError, ValueError):
        return {}
    return (
        {str(path): entry for path, entry in stored.items() if isinstance(entry, dict)}
        if isinstance(stored, dict)
        else {}
    )


def _cached_interpreter(path: str, entry: dict[str, object]) -> Interpreter:
    """Rebuild an interpreter from cached facts; raises KeyError, TypeError or ValueError if they are damaged."""
    markers, tags = entry["markers"], entry["tags"]
    if not isinstance(markers, dict) or not isinstance(tags, list):
        raise TypeError(path)
    return Interpreter(
        path=path,
        version=str(entry["version"]),
        implementation=str(entry["implementation"]),
        markers={str(key): str(value) for key, value in markers.items()},
        tags=tuple(str(tag) for tag in tags),
    )
