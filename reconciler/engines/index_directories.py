"""A directory as an index: pages (PEP 503) for uv from a directory of files, or from one that has such pages.

uv reads `DIRECTORY/NAME/index.html` of a `file:` index. A directory of wheels and source distributions, as for
`--find-links`, has no such pages. They are written into a scratch directory, only for packages that the index may
serve, and link to the original files.
"""

import html
from collections.abc import Callable
from pathlib import Path

from packaging.utils import InvalidSdistFilename, InvalidWheelFilename, parse_sdist_filename, parse_wheel_filename

from reconciler.errors import IndexUnreachableError

_SUFFIXES = (".whl", ".tar.gz", ".zip")


def has_files(directory: Path) -> bool:
    """Return whether wheels or source distributions are directly in `directory`."""
    return any(path.name.endswith(_SUFFIXES) for path in _entries(directory))


def write_pages(directory: Path, target: Path, serves: Callable[[str], bool]) -> None:
    """Write below `target` a page for each package (normalized name) of `directory` that `serves` accepts.

    Raises IndexUnreachableError if `directory` cannot be listed, OSError if a page cannot be read or written.
    """
    pages: dict[str, list[str]] = {}
    for path in _entries(directory):
        name = _package(path.name)
        page = path / "index.html"
        if name is not None and serves(name):
            link = f'<a href="{html.escape(path.absolute().as_uri())}">{html.escape(path.name)}</a><br>\n'
            pages.setdefault(name, []).append(link)
        elif name is None and serves(path.name) and page.is_file():
            base = f'<base href="{html.escape(path.absolute().as_uri())}/">\n'
            pages.setdefault(path.name, []).insert(0, base + page.read_text(encoding="utf-8"))
    target.mkdir(parents=True)  # also if it serves no package of the directory
    for name, parts in pages.items():
        (target / name).mkdir()
        (target / name / "index.html").write_text("".join(parts), encoding="utf-8")


def _entries(directory: Path) -> list[Path]:
    try:
        return sorted(directory.iterdir())
    except OSError as error:
        raise IndexUnreachableError(
            f"the directory `{directory}` of an index cannot be listed: {error.strerror}",
            hint="create the directory, or correct the `url` of the index",
        ) from error


def _package(name: str) -> str | None:
    """Return the normalized name of the package that a file belongs to; None if it is not a distribution's."""
    try:
        if name.endswith(".whl"):
            return parse_wheel_filename(name)[0]
        return parse_sdist_filename(name)[0]
    except (InvalidWheelFilename, InvalidSdistFilename):
        return None
