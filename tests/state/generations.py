"""The next generation of an environment that replaces no other directory."""

from reconciler.state.layout import Generation
from reconciler.state.store import State


def new_generation(state: State, name: str) -> Generation:
    return state.new_generation(name, above=0, adopting=False)
