"""Chooses among the interpreters that a snapshot knows, as the host itself would."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass

from reconciler.errors import InterpreterError
from reconciler.interpreters.choose import Interpreters, best_for, request_specifier
from reconciler.interpreters.model import Interpreter
from reconciler.manifest.desired import DesiredState
from reconciler.state.applied import Applied

NONE = Interpreter(path="", version="", implementation="", markers={}, tags=())


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownInterpreters:
    """The base interpreters of a host, without the host.

    `found` are those that a search chose there; `others` are kept by a generation, or named by their path.
    """

    found: tuple[Interpreter, ...] = ()
    others: tuple[Interpreter, ...] = ()

    def choose(self, request: str, *, keep: str = "") -> Interpreter:
        """Return the interpreter for `request` as `Interpreters.choose` does; where none is known, one without version.

        What a search would not have found is chosen for another environment only where nothing else fits.
        """
        by_path = {each.path: each for each in (*self.others, *self.found)}
        specifiers = request_specifier(request)
        if specifiers is None:
            return by_path.get(request, NONE)
        kept = by_path.get(keep)
        if kept is not None and specifiers.contains(kept.version, prereleases=True):
            return kept
        return best_for(specifiers, self.found) or best_for(specifiers, self.others) or NONE


def known_interpreters(desired: DesiredState, applied: Mapping[str, Applied], here: Interpreters) -> KnownInterpreters:
    """Return the facts of what this machine chooses for each environment, and of what its generations keep.

    A request that nothing satisfies here is nobody's error yet: it is told where the snapshot is judged.
    """
    found: dict[str, Interpreter] = {}
    others: dict[str, Interpreter] = {}
    for each in applied.values():
        kept = here.kept(each.interpreter.path) if each.project == desired.project else None
        if kept is not None:
            others[kept.path] = kept
    for environment in desired.environments:
        last = applied.get(environment.name)
        keep = last.interpreter.path if last else ""
        with suppress(InterpreterError):
            chosen = here.choose(environment.python, keep=keep)
            searched = chosen.path not in {keep, environment.python}
            (found if searched else others)[chosen.path] = chosen
    return KnownInterpreters(
        found=tuple(found.values()), others=tuple(each for path, each in others.items() if path not in found)
    )
