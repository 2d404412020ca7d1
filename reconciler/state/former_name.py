"""The links of a renamed environment, whose generations stay where they were built.

Scripts, kernels and running processes name the directory of a generation, so a rename moves none. A link says where a
generation of the new name is (`generations/site/7 -> ../web/7`), and the mark `renamed` in that directory names its new
owner. It belongs to the new name only if both agree. The former path, which activate scripts name, becomes a link to
the new one (`web -> .envsync/../site`). Imports only modules that load fast, because `run` uses it.
"""

from __future__ import annotations

import os

MARK = "renamed"  # in the directory of a generation: a symbolic link whose text is the present owner's name
_FIRST = frozenset("abcdefghijklmnopqrstuvwxyz0123456789")
_OTHERS = _FIRST.union("_-")
_UP = "../"
_FORMER_PATH = ".envsync/../"  # a user's own `ln -s` would not write that


def generation_link(home: str, number: int) -> str:
    """Return the text of the link to a generation in the directory of a different name, `home`."""
    return f"{_UP}{home}/{number}"


def linked_home(text: str, last: str) -> str:
    """Return the name in a link's text `../NAME/LAST`, empty if the text is different."""
    name = text.removeprefix(_UP).removesuffix(f"/{last}")
    return name if text == f"{_UP}{name}/{last}" and is_name(name) else ""


def is_name(text: str) -> bool:
    """Return whether a text can be the name of an environment."""
    return text[:1] in _FIRST and bool(text) and _OTHERS.issuperset(text)


def home_of(generations: str, name: str, number: int) -> str:
    """Return the name in whose directory a generation of `name` is: a former name, or `name` itself.

    `generations` is the directory of all generations.
    """
    home = linked_home(_text(f"{generations}/{name}/{number}"), str(number))
    return home if home and owner_of(generations, home, number) == name else name


def owner_of(generations: str, home: str, number: int) -> str:
    """Return the environment that the generation in a real directory belongs to, empty if no directory is there."""
    directory = f"{generations}/{home}/{number}"
    if os.path.islink(directory) or not os.path.isdir(directory):  # noqa: PTH112, PTH114
        return ""
    return _text(f"{directory}/{MARK}") or home


def former_path_link(name: str) -> str:
    """Return the text of the link at a former path, to the environment's present name."""
    return f"{_FORMER_PATH}{name}"


def renamed_to(root: str, name: str) -> str:
    """Return the present name of the environment whose former path is `<root>/<name>`, empty if it is none."""
    text = _text(f"{root}/{name}")
    new = text.removeprefix(_FORMER_PATH)
    return new if text == former_path_link(new) and is_name(new) else ""


def _text(path: str) -> str:
    """Return the text of a symbolic link, empty if it is none."""
    try:
        return os.readlink(path)  # noqa: PTH115  # the text itself
    except OSError:
        return ""
