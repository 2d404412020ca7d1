"""Options of a requirements file that name an index: accepted if the manifest already says the same."""

import json
from pathlib import Path
from urllib.parse import urlsplit

from reconciler.backticks import in_backticks
from reconciler.manifest.desired import Index
from reconciler.manifest.index_rules import chosen_indexes
from reconciler.manifest.invalid_text import InvalidTextError
from reconciler.manifest.names import name_of_host
from reconciler.manifest.requirements_line import IndexOption, relative_to
from reconciler.manifest.urls import canonical_url, directory_of_url

_FIND_LINKS = frozenset({"-f", "--find-links"})
_PRIMARY = frozenset({"-i", "--index-url"})


def check_index_option(
    line: IndexOption, path: Path | None, indexes: tuple[Index, ...], chosen: tuple[str, ...], directory: Path
) -> None:
    """Raise InvalidTextError unless the option names what an environment with `chosen` of `indexes` (empty: all) uses.

    `path` is the directory that it names, None for a URL; `directory` is the manifest's.
    """
    used = chosen_indexes(indexes, chosen)
    if line.option == "--no-index":
        if not used or any(directory_of_url(each.url) is None for each in used):
            raise InvalidTextError(
                "`--no-index` is given, but the environment uses an index that is not a directory",
                hint="declare only directories in `indexes`; one of them must have no `packages`, or `default: true`",
            )
        return
    if path is None and line.option in _FIND_LINKS:
        raise InvalidTextError(
            f"{in_backticks(line.option)} is only supported for a directory",
            hint="write the path of a directory with the files, or an index under `indexes` in the manifest",
        )
    url = line.value if path is None else path.as_uri()
    if any(canonical_url(each.url) == canonical_url(url) for each in used):
        return
    declared = next((each for each in indexes if canonical_url(each.url) == canonical_url(url)), None)
    if declared is not None:
        raise InvalidTextError(
            f"{in_backticks(line.option)} names index `{declared.name}`, which this environment does not use",
            hint=f"add `{declared.name}` to `indexes` of the environment",
        )
    shown = url if path is None or line.value.startswith(("/", "file:")) else relative_to(str(path), directory)
    extra = "" if line.option in _PRIMARY else ", default: false"
    values = [json.dumps(each, ensure_ascii=False) for each in (_new_name(url, indexes), shown)]
    text = "- {name: %s, url: %s%s}" % (*values, extra)  # noqa: UP031 - braces of YAML
    raise InvalidTextError(
        f"{in_backticks(line.option)} names an index that the manifest does not declare",
        hint=f"add a line below `indexes:` in the manifest: {in_backticks(text)}",
    )


def _new_name(url: str, indexes: tuple[Index, ...]) -> str:
    """Return a valid name for the index at `url` that no other index has."""
    parts = urlsplit(url)
    words = parts.hostname or parts.path.rstrip("/").rpartition("/")[2]
    name = name_of_host(words)[:40] or "index"
    taken = {each.name for each in indexes}
    numbered = (name, *(f"{name}-{number}" for number in range(2, len(taken) + 3)))
    return next(each for each in numbered if each not in taken)
