"""Choose among the interpreters in a snapshot, as the host itself would choose."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass

from reconciler.errors import InterpreterError
from reconciler.interpreters.choose import Interpreters, choose_for
from reconciler.interpreters.model import UNKNOWN, Interpreter
from reconciler.interpreters.request import best_for, parse_request
from reconciler.manifest.desired import DesiredState
from reconciler.state.applied import Applied


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownInterpreters:
    """The base interpreters of a host, as a snapshot lists them.

    `found` are those that a search on the host chose. `others` belong to a generation, or are requested by their path.
    """

    found: tuple[Interpreter, ...]
    others: tuple[Interpreter, ...]

    def choose(self, request: str, *, keep: str = "", keep_version: str = "") -> Interpreter:  # noqa: ARG002
        """Return the interpreter for `request`, as `Interpreters.choose` does; if none fits, one without a version.

        `keep` is the path of the environment's current interpreter, which is kept if it satisfies the request. One of
        `others` is chosen for another environment only if none of `found` fits.
        """
        by_path = {each.path: each for each in (*self.others, *self.found)}
        wanted = parse_request(request)
        if wanted is None:
            return by_path.get(request, UNKNOWN)
        kept = by_path.get(keep)
        if kept is not None and wanted.satisfied_by(kept):
            return kept
        return best_for(wanted, self.found) or best_for(wanted, self.others) or UNKNOWN


def known_interpreters(
    desired: DesiredState, applied: Mapping[str, Applied], interpreters: Interpreters
) -> KnownInterpreters:
    """Return the interpreters that this machine chooses for the environments, and those that its generations use.

    A request that nothing on this machine satisfies is not an error here: the plan made from the snapshot reports it.
    """
    found: dict[str, Interpreter] = {}
    others: dict[str, Interpreter] = {}
    for each in applied.values():
        if each.project == desired.project:
            with suppress(InterpreterError):
                kept = interpreters.recorded(each.interpreter.path)
                others[kept.path] = kept
    for environment in desired.environments:
        last = applied.get(environment.name)
        with suppress(InterpreterError):
            chosen = choose_for(environment, interpreters, keep=last.interpreter if last else None)
            was_searched = chosen.path not in {last.interpreter.path if last else "", environment.python}
            (found if was_searched else others)[chosen.path] = chosen
    return KnownInterpreters(
        found=tuple(found.values()), others=tuple(each for path, each in others.items() if path not in found)
    )
