"""Chooses the interpreter for a request: a version, a specifier set (PEP 440), or an absolute path.

Only what the search finds or the manifest names is started. A path that only a record or a cache contains is not.
"""

import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from packaging.specifiers import InvalidSpecifier
from packaging.version import Version

from reconciler.backticks import in_backticks
from reconciler.canonical_json import to_json
from reconciler.errors import InterpreterError, OldInterpreterError, RefusedInterpreterError
from reconciler.fs.atomic_write import write_cache
from reconciler.fs.authentic_json import authentic_json, read_authentic_json
from reconciler.fs.os_error_hint import os_error_hint
from reconciler.interpreters.discover import Discovered, discover_interpreters, would_be_found
from reconciler.interpreters.host_identity import host_identity
from reconciler.interpreters.model import Interpreter
from reconciler.interpreters.permitted import ForbiddenPlaces, Refusal, refusal
from reconciler.interpreters.query import query_interpreter
from reconciler.interpreters.request import Request, best_for, parse_request
from reconciler.manifest.desired import DesiredEnvironment

_FACTS_FORMAT = 2  # of the cached facts; 1 had the tags of envsync's own platform


class Chooser(Protocol):
    """Chooses an interpreter: among those of this machine, or those that a snapshot lists."""

    def choose(self, request: str, *, keep: str = "", keep_version: str = "") -> Interpreter:
        """Return `keep` (a path) if it satisfies `request`, otherwise the best interpreter that does.

        `keep_version` is what is recorded as its version.
        """


class Recorded(Protocol):
    """The interpreter that a record names."""

    @property
    def path(self) -> str:
        """Return its absolute path."""

    @property
    def version(self) -> str:
        """Return its version when the generation was built."""


def choose_for(environment: DesiredEnvironment, interpreters: Chooser, *, keep: Recorded | None = None) -> Interpreter:
    """Return the interpreter of an environment, which keeps the recorded one if it can; raises InterpreterError."""
    if keep is None:
        return interpreters.choose(environment.python)
    return interpreters.choose(environment.python, keep=keep.path, keep_version=keep.version)


@dataclass(frozen=True, slots=True, kw_only=True)
class Surveyed:
    """An interpreter that the search finds: `version` is empty if it is not used, and `problem` says why.

    It may be `refused` because of who may change it; otherwise it was started, and does not work.
    """

    path: str
    series: str  # in its name, or empty
    version: str = ""
    problem: str = ""
    hint: str | None = None
    refused: bool = False


class Interpreters:
    """The interpreters of this machine, discovered and queried once a run; facts are cached by the file's signature."""

    def __init__(self, ambient: Mapping[str, str], *, places: ForbiddenPlaces, cache: Path | None) -> None:
        self._ambient = ambient
        self._places = places
        self._cache_file = cache
        self._facts: dict[str, dict[str, object]] = _load(cache)
        self._found: Discovered | None = None
        self._dirty = False
        self._asked: set[str] = set()  # which were started in this run

    def choose(self, request: str, *, keep: str = "", keep_version: str = "") -> Interpreter:
        """Return the interpreter for `request`: `keep` (a path) while it satisfies it, else the newest that does.

        Raises InterpreterError, listing those found, where there is none. Raises RefusedInterpreterError if `keep`
        still exists, was recorded with a version that satisfies the request (`keep_version`), and must not be started
        for a reason that the record does not cause: other users may change it, or the search does not find it. A
        different interpreter would be a change that no user requested.
        """
        if request.startswith("/"):
            return self._at_path(request)
        try:
            wanted = parse_request(request)
        except InvalidSpecifier as error:
            raise InterpreterError(f"not a python request: {in_backticks(request)}", hint=None) from error
        assert wanted is not None  # noqa: S101  # not a path, as checked above
        try:
            kept = self.recorded(keep) if keep else None
        except RefusedInterpreterError as error:
            if error.curable and wanted.allows(keep_version):
                raise
            kept = None
        except InterpreterError:
            kept = None
        if kept is not None and wanted.satisfied_by(kept):
            return kept
        best = best_for(wanted, self._possible(wanted))  # among equals, the first that was discovered
        if best is None:
            raise self._none_for(request, wanted)
        return best

    def recorded(self, path: str, *, request: str = "") -> Interpreter:
        """Return the interpreter at `path`, which a record names: if the manifest requests that path, or it is found.

        A record may contain anything. Raises RefusedInterpreterError if it must not be started, InterpreterError if it
        is gone or does not work.
        """
        if not path.startswith("/") or "\0" in path:
            raise InterpreterError(f"not an absolute path: {in_backticks(path)}", hint=None)
        if path != request:
            self._require_found(path)
        return self._permitted(path)

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

    def _require_found(self, path: str) -> None:
        """Raise RefusedInterpreterError if something is at `path` that the search does not find."""
        if os.path.lexists(path) and not would_be_found(path, self._ambient):
            why = _refusal(path, self._places)
            raise RefusedInterpreterError(
                f"{in_backticks(path)} is not used: only the record of the environment names it",
                hint="write this path as the value of `python`, or add its directory to `PATH`",
                curable=why is None or why.curable,
            )

    def _permitted(self, path: str, *, again: bool = False) -> Interpreter:
        """Return the interpreter at `path`, if it may be started; `again` as in `_query`."""
        try:
            why = refusal(path, self._places)
        except OSError as error:
            raise InterpreterError(
                f"no interpreter at {in_backticks(path)}: {error.strerror}", hint=os_error_hint(error)
            ) from error
        if why is not None:
            raise RefusedInterpreterError(why.message, hint=why.hint, curable=why.curable)
        return self._query(path, again=again)

    def _at_path(self, path: str) -> Interpreter:
        try:
            return self._permitted(path, again=True)
        except RefusedInterpreterError:
            raise
        except InterpreterError as error:
            hint = error.hint or "name an interpreter of this machine, or write a version such as `3.12`"
            raise InterpreterError(error.message, hint=hint, details=error.details or self._listed()) from error

    def _possible(self, wanted: Request) -> list[Interpreter]:
        """Query the candidates that their name does not already rule out."""
        queried = []
        for candidate in self._all().candidates:
            if candidate.series and not wanted.may_be_satisfied_in(candidate.series):
                continue
            with suppress(InterpreterError):
                queried.append(self._query(candidate.path))
        return queried

    def _all(self) -> Discovered:
        if self._found is None:
            self._found = discover_interpreters(self._ambient, self._places)
        return self._found

    def _query(self, path: str, *, again: bool = False) -> Interpreter:
        """Return the facts of an interpreter, which is started only if its file changed since they were remembered.

        That one does not work is remembered too, because every plan would wait for it again. With `again` it is started
        once more in this run: what is wrong may have been repaired without a change of the file.
        """
        try:
            stat = Path(path).stat()
        except OSError as error:
            raise InterpreterError(
                f"no interpreter at `{path}`: {error.strerror}", hint=os_error_hint(error)
            ) from error
        signature = [
            stat.st_dev, stat.st_ino, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns, *host_identity(), _FACTS_FORMAT
        ]  # fmt: skip
        entry = self._facts.get(path)
        ask_again = again and path not in self._asked and entry is not None and "problem" in entry
        if entry is not None and entry.get("signature") == signature and not ask_again:
            with suppress(KeyError, TypeError, ValueError):
                return _cached_interpreter(path, entry)
        self._asked.add(path)
        self._dirty = True
        try:
            queried = query_interpreter(path)
        except InterpreterError as error:
            self._facts[path] = {
                "signature": signature,
                "problem": error.message,
                "details": list(error.details),
                "old": isinstance(error, OldInterpreterError),
            }
            raise
        self._facts[path] = {
            "signature": signature,
            "version": queried.version,
            "implementation": queried.implementation,
            "markers": dict(queried.markers),
            "tags": list(queried.tags),
        }
        return queried

    def _none_for(self, request: str, wanted: Request) -> InterpreterError:
        """Return the error of a request that no interpreter satisfies; one that is not used may be the reason."""
        possible = [each for each in self.survey() if not each.series or wanted.may_be_satisfied_in(each.series)]
        refused = [each for each in possible if each.refused]
        broken = [each for each in possible if each.problem and not each.refused]
        lines = tuple(dict.fromkeys(f"  {each.problem}" for each in (*refused, *broken)))
        hint = "install one, or change `python`; envsync does not download interpreters"
        return InterpreterError(
            f"no interpreter on this machine satisfies python {in_backticks(request)}",
            hint=refused[0].hint if refused else hint,
            details=(*self._listed(), *(("not used:", *lines) if lines else ())),
            found=tuple(version for version, _ in self._versions()),
            unused=refused[0].problem if refused else "",
        )

    def survey(self, *, again: bool = False) -> tuple["Surveyed", ...]:
        """Return every interpreter that the search finds: with its version, or why it is not used. `again` as above."""
        found = []
        for candidate in self._all().candidates:
            try:
                interpreter = self._query(candidate.path, again=again)
            except OldInterpreterError:  # `python` may be Python 2, and nothing is wrong with that
                continue
            except InterpreterError as error:
                found.append(
                    Surveyed(path=candidate.path, series=candidate.series, problem=error.message, hint=error.hint)
                )
            else:
                found.append(Surveyed(path=candidate.path, series=candidate.series, version=interpreter.version))
        refused = [
            Surveyed(path=candidate.path, series=candidate.series, problem=why.message, hint=why.hint, refused=True)
            for candidate, why in self._all().refused
            if why.curable
        ]
        return (*found, *refused)

    def _listed(self) -> tuple[str, ...]:
        """Return a line for each interpreter of this machine, the newest first."""
        found = self._versions()
        return ("found:", *(f"  {version}  {path}" for version, path in found)) if found else ("found none",)

    def _versions(self) -> list[tuple[str, str]]:
        """Return version and path of each interpreter of this machine that works, the newest first."""
        found = [(each.version, each.path) for each in self.survey() if each.version]
        return sorted(found, key=lambda each: Version(each[0]), reverse=True)


def _refusal(path: str, places: ForbiddenPlaces) -> Refusal | None:
    """Return why a path must not be started, also if that cannot be examined."""
    try:
        return refusal(path, places)
    except OSError:
        return Refusal(message="", hint="")


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
    """Rebuild an interpreter from cached facts; raises KeyError, TypeError or ValueError if they are damaged.

    Raises InterpreterError if it did not work when it was started.
    """
    if "problem" in entry:
        details = entry["details"]
        if not isinstance(details, list):
            raise TypeError(path)
        kind = OldInterpreterError if entry["old"] is True else InterpreterError
        raise kind(str(entry["problem"]), hint=None, details=tuple(str(line) for line in details))
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
