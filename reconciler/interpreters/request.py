"""What a manifest asks for with `python`: a version, a specifier set (PEP 440), or an absolute path."""

from collections.abc import Iterable
from dataclasses import dataclass

from packaging.specifiers import Specifier, SpecifierSet
from packaging.version import InvalidVersion, Version

from reconciler.interpreters.model import Interpreter


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """Which interpreters satisfy a request; those that are `free_threaded` if its version ends in `t` (`3.13t`)."""

    specifiers: SpecifierSet
    free_threaded: bool = False

    def allows(self, version: str) -> bool:
        """Return whether a version satisfies the request; False for a text that is not a version."""
        try:
            return self.specifiers.contains(Version(version), prereleases=True)
        except InvalidVersion:
            return False

    def satisfied_by(self, interpreter: Interpreter) -> bool:
        """Return whether an interpreter satisfies the request; one without the GIL does so only if no other does."""
        return self.allows(interpreter.version) and (interpreter.free_threaded or not self.free_threaded)

    def may_be_satisfied_in(self, series: str) -> bool:
        """Return whether any release of a series (`3.12`) could satisfy the request; True if that is not certain."""
        low, high = Version(f"{series}.0a0"), Version(f"{series}.9999")
        for each in self.specifiers:
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


def parse_request(request: str) -> Request | None:
    """Return what satisfies `request` (`3.12` is `==3.12.*`); None for an absolute path. Raises InvalidSpecifier."""
    if request.startswith("/"):
        return None
    text = request.removesuffix("t")
    try:
        version = Version(text)
    except InvalidVersion:
        return Request(specifiers=SpecifierSet(request))
    exact = len(version.release) > 2 or version.is_prerelease
    return Request(specifiers=SpecifierSet(f"=={text}" if exact else f"=={text}.*"), free_threaded=text != request)


def best_for(request: Request, interpreters: Iterable[Interpreter]) -> Interpreter | None:
    """Return the best interpreter that satisfies a request, the first among equals; None if there is none."""
    return max(filter(request.satisfied_by, interpreters), key=_preference, default=None)


def lower_bound(request: str, interpreter: Interpreter) -> str:
    """Return the Python version to resolve a lock for, so that all machines create the same lock."""
    wanted = parse_request(request)
    if wanted is None:
        return interpreter.series
    lowest = []
    for each in wanted.specifiers:
        bound = _bound(each)
        if bound is not None and each.operator in {">=", "==", "~=", "==="}:
            lowest.append(bound)
        elif bound is not None and each.operator == ">":  # the bound itself is excluded: use the next patch release
            lowest.append(Version(f"{bound}.1") if len(bound.release) == 2 and not bound.is_prerelease else bound)
    return str(max(lowest)) if lowest else interpreter.series


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
