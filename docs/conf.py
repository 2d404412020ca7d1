"""How Sphinx builds the site from these pages: `sphinx-build -W --keep-going -n -b html docs DIRECTORY`."""

import os
import re
import tomllib
from pathlib import Path
from typing import Any

_DOCS = Path(__file__).parent
_PROJECT = tomllib.loads((_DOCS.parent / "pyproject.toml").read_text(encoding="utf-8"))["project"]
_FILES = f"{_PROJECT['urls']['Repository']}/blob/main"

project = "envsync"
project_copyright = "the envsync contributors; license: Apache-2.0"
version = release = _PROJECT["version"]

extensions = ["myst_parser"]
root_doc = "index"
exclude_patterns = ["generate"]
source_suffix = {".md": "markdown"}
nitpicky = True
smartquotes = False  # `--option` keeps its two hyphens

myst_heading_anchors = 4  # `page.md#heading`, as GitHub makes the anchors

html_theme = "furo"
html_title = f"envsync {release}"
html_copy_source = False
html_show_sphinx = False
html_theme_options = {"navigation_with_keys": True}


def setup(app: Any) -> None:  # sphinx.application.Sphinx, which the type checker's environment does not have
    """Connect what changes a page before it is parsed."""
    app.connect("source-read", _link_repository)


def _link_repository(_app: Any, name: str, source: list[str]) -> None:
    """Let links to files outside of `docs` point to the repository: the site does not have these files."""

    def absolute(found: re.Match[str]) -> str:
        path = Path(os.path.normpath(_DOCS / Path(name).parent / found[1]))
        if path.is_relative_to(_DOCS):
            return found[0]
        return f"]({_FILES}/{path.relative_to(_DOCS.parent).as_posix()}{found[2] or ''})"

    source[0] = re.sub(r"\]\((\.\./[^)#]*)(#[^)]*)?\)", absolute, source[0])
