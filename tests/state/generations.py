"""Generations of an environment are made and deleted: without more words, nothing is adopted, spared or discarded."""

from reconciler.apply import collect
from reconciler.apply.collect import Removable
from reconciler.state.layout import Generation
from reconciler.state.store import State


def new_generation(state: State, name: str) -> Generation:
    return state.new_generation(name, above=0, adopting=False)


def collect_garbage(
    state: State, *, spare: frozenset[tuple[str, int]] = frozenset(), discard: frozenset[str] = frozenset()
) -> list[Removable]:
    return collect.collect_garbage(state, spare=spare, discard=discard)
