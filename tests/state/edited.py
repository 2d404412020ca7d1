"""Files of the state that a test changed, with the code that envsync would give them; and a root with its mark.

A file that is written without these helpers has no valid code, as an editor or a forger would leave it: it is damaged.
"""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from reconciler.fs.authentic_json import authentic_json
from reconciler.state.layout import Layout
from reconciler.state.root_trust import make_own_directory

CODE = "authentication"


def make_root(root: Path) -> Layout:
    """Make a root, with its mark, and return its layout; nothing is done if it exists."""
    layout = Layout(root)
    root.mkdir(parents=True, exist_ok=True)
    make_own_directory(layout)
    return layout


def stored_in(path: Path) -> dict[str, Any]:
    """Return the object in a JSON file of the state, without its code."""
    found = json.loads(path.read_bytes())
    assert isinstance(found, dict)
    return {key: value for key, value in found.items() if key != CODE}


def write_stored(path: Path, stored: Mapping[str, Any]) -> None:
    """Write an object to a JSON file of the state, with a valid code."""
    path.write_bytes(authentic_json(str(path), stored))


def edit_state_file(path: Path, change: Mapping[str, Any] | Callable[[dict[str, Any]], object]) -> None:
    """Change a JSON file of the state, and give it a valid code: new values, or a function that changes the object."""
    stored = stored_in(path)
    if callable(change):
        change(stored)
    else:
        stored |= change
    write_stored(path, stored)
