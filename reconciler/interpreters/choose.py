"""Chooses the interpreter for a request: a version, a specifier set (PEP 440), or an absolute path."""

import json
import os
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from packaging.specifiers import InvalidSpecifier, Specifier, SpecifierSet
from packaging.version import InvalidVersion, Version

from reconciler.errors import InterpreterError
from reconciler.interpreters.discover import Candidate, candidates, not_base
from reconciler.interpreters.model import Interpreter
from reconciler.interpreters.query import ask_interpreter


def request_specifier(request: str) -> SpecifierSet | None:
    """Return what versions satisfy `request` (`3.12` is `==3.12.*`); None for an absolute path."""
    if request.startswith("/"):
        return None
    try:
        version = Version(request)
    except InvalidVersion:
        return SpecifierSet(request)
    return SpecifierSet(f"=={request}" if len(version.release) > 2 or version.is_prerelease else f"=={request}.*")


def lower_bound(request: str, interpreter: Interpreter) -> str:
    """Return the Python version that a lock for `request` is resolved for, so that two machines lock alike."""
    specifiers = request_specifier(request)
    if specifiers is None:
        return interpreter.series
    lowest = []
    for each in specifiers:
        bound = _bound(each)
        if bound is not None and each.operator in {">=", "==", "~=", "==="}:
            lowest.append(bound)
        elif bound is not None and each.operator == ">":  # excludes it: the next patch release is the lowest there is
            lowest.append(Version(f"{bound}.1") if len(bound.release) == 2 and not bound.is_prerelease else bound)
    return str(max(lowest)) if lowest else interpreter.series


def best_for(specifiers: SpecifierSet, interpreters: Iterable[Interpreter]) -> Interpreter | None:
    """Return the best that satisfies a request, of equals the first; None where none does."""
    fitting = (each for each in interpreters if specifiers.contains(each.version, prereleases=True))
    return max(fitting, key=_preference, default=None)


class Chooser(Protocol):
    """Whatever chooses an interpreter: this machine, or what is known of another."""

    def choose(self, request: str, *, keep: str = "") -> Interpreter:
        """Return the interpreter for `request`: `keep` (a path) while it satisfies it, else the best that does."""


class Interpreters:
    """The interpreters of this machine: found once a run, each asked once, facts cached by its file's stat."""

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
            raise InterpreterError(f"not a python request: {request!r}") from error
        assert specifiers is not None  # noqa: S101  # not a path: narrowed above
        kept = self.kept(keep)
        if kept is not None and specifiers.contains(kept.version, prereleases=True):
            return kept
        best = best_for(specifiers, self._possible(specifiers))  # the first of equals: the order of discovery
        if best is None:
            raise self._none_for(request)
        return best

    def kept(self, path: str) -> Interpreter | None:
        """Return the interpreter that a generation keeps, None where it is gone or must not be started."""
        if path and not not_base(path, self._outside):  # a record below a root in the repository may say anything
            with suppress(InterpreterError):
                return self._ask(path)
        return None

    def save(self) -> None:
        """Keep the facts for the next run; a root that may only be read just asks again."""
        if self._cache_file is None or not self._dirty or not self._cache_file.parent.is_dir():
            return
        temporary = self._cache_file.with_name(f".{self._cache_file.name}.{os.getpid()}.tmp")
        with suppress(OSError):
            try:
                temporary.write_text(json.dumps(self._facts, sort_keys=True), encoding="utf-8")
                temporary.replace(self._cache_file)
            except OSError:
                temporary.unlink(missing_ok=True)

    def _at_path(self, path: str) -> Interpreter:
        if where := not_base(path, self._outside):
            raise InterpreterError(
                f"{path} is {where}", hint="name a base interpreter that no commit and no package can change"
            )
        try:
            return self._ask(path)
        except InterpreterError as error:
            raise InterpreterError(error.message, hint=error.hint, details=error.details or self._found()) from error

    def _possible(self, specifiers: SpecifierSet) -> list[Interpreter]:
        """Ask those candidates whose name does not already rule them out."""
        answers = []
        for candidate in self._all():
            if candidate.series and not _series_may_satisfy(candidate.series, specifiers):
                continue
            with suppress(InterpreterError):
                answers.append(self._ask(candidate.path))
        return answers

    def _all(self) -> tuple[Candidate, ...]:
        if self._candidates is None:
            self._candidates = candidates(self._ambient, outside=self._outside)
        return self._candidates

    def _ask(self, path: str) -> Interpreter:
        try:
            stat = Path(path).stat()
        except OSError as error:
            raise InterpreterError(f"no interpreter at {path}: {error.strerror}") from error
        signature = [stat.st_ino, stat.st_size, stat.st_mtime_ns, *_host()]
        entry = self._facts.get(path)
        if entry is not None and entry.get("signature") == signature:
            with suppress(KeyError, TypeError, ValueError):
                return _from_cache(path, entry)
        asked = ask_interpreter(path)
        self._facts[path] = {
            "signature": signature,
            "version": asked.version,
            "implementation": asked.implementation,
            "markers": dict(asked.markers),
            "tags": list(asked.tags),
        }
        self._dirty = True
        return asked

    def _none_for(self, request: str) -> InterpreterError:
        return InterpreterError(
            f"no interpreter on this machine satisfies python {request!r}",
            hint="install one (envsync never downloads interpreters), or change the request",
            details=self._found(),
        )

    def _found(self) -> tuple[str, ...]:
        """Return a line for each interpreter of this machine."""
        found = []
        for candidate in self._all():
            with suppress(InterpreterError):
                found.append(f"  {self._ask(candidate.path).version}  {candidate.path}")
        return ("found:", *found) if found else ("found none",)


def _host() -> tuple[str, str, str, str]:
    """Return what facts hold of the machine, not of the interpreter: kernel, processor, C library."""
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
    """Say whether any 3.X.* could satisfy, judged by exact series and bounds; a doubt counts as yes."""
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
    """Read cached facts; anything unreadable is no cache."""
    if cache is None:
        return {}
    try:
        stored = json.loads(cache.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return (
        {str(path): entry for path, entry in stored.items() if isinstance(entry, dict)}
        if isinstance(stored, dict)
        else {}
    )


def _from_cache(path: str, entry: dict[str, object]) -> Interpreter:
    """Rebuild an interpreter from cached facts; raises KeyError, TypeError or ValueError where they do not fit."""
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
