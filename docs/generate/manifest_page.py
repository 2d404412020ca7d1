"""The reference part of `docs/manifest.md`: a section for each kind of mapping, a heading for each key."""

from collections.abc import Iterator, Sequence

from docs.generate.manifest_keys import ROOT, Key, KeyGroup, key_groups
from docs.generate.markdown import anchors, code, fenced, link, prose, table
from docs.generate.yaml_text import block, flow

# The section of each model, and what its keys are prefixed with in headings.
_SECTIONS = {
    ROOT: ("Top-level keys", ""),
    "Index": ("Entries of `indexes`", "indexes."),
    "Environment": ("Keys of an environment or template", ""),
    "Matrix": ("Keys of `matrix`", "matrix."),
    "Project": ("Keys of an environment's `project`", "project."),
    "LockSource": ("Keys of an environment's `lock`", "lock."),
    "ImportProbe": ("Entries of `probes`: import a module", "probes."),
    "CommandProbe": ("Entries of `probes`: run a command", "probes."),
    "Hooks": ("Keys of `hooks`", "hooks."),
    "PublicCommand": ("Entries of `hooks` with public arguments", "hooks."),
    "Health": ("Keys of `health`", "health."),
    "PackageException": ("Entries of `ignore` with a reason or a last day", "ignore."),
    "FileException": ("Entries of `ignore_files` with a reason or a last day", "ignore_files."),
}


def manifest_reference() -> str:
    """Return the reference of all keys; raises ValueError for a model without a title."""
    groups = list(key_groups().values())
    if untitled := [group.model for group in groups if group.model not in _SECTIONS]:
        raise ValueError(f"docs/generate/manifest_page.py: add a title to _SECTIONS for {', '.join(untitled)}")
    places = _anchors(groups)
    return "\n\n".join(part for group in groups for part in _section(group, places))


def title_of(model: str) -> str:
    """Return the heading of the section about a kind of mapping, without the `#`."""
    return _SECTIONS[model][0]


def heading_of(model: str, key: str) -> str:
    """Return the heading of a key, without the `#`."""
    return code(_SECTIONS[model][1] + key)


def _anchors(groups: Sequence[KeyGroup]) -> dict[tuple[str, str], str]:
    """Return the anchor of each section (model, "") and of each key (model, key)."""
    headings = {}
    for group in groups:
        headings[group.model, ""] = title_of(group.model)
        headings |= {(group.model, key.name): heading_of(group.model, key.name) for key in group.keys}
    return dict(zip(headings, anchors(list(headings.values())), strict=True))


def _section(group: KeyGroup, places: dict[tuple[str, str], str]) -> Iterator[str]:
    yield f"## {title_of(group.model)}"
    yield prose(group.description)
    rows = [[link(code(key.name), f"#{places[group.model, key.name]}"), key.type, _default(key)] for key in group.keys]
    yield table(["key", "type", "default"], rows)
    for key in group.keys:
        yield f"### {heading_of(group.model, key.name)}"
        yield prose(key.description)
        yield "\n".join(f"- {line}" for line in _facts(key, places))
        if key.examples:
            yield fenced("# or\n".join(block({key.name: each}) for each in key.examples), "yaml")


def _facts(key: Key, places: dict[tuple[str, str], str]) -> Iterator[str]:
    yield f"Type: {key.type}"
    yield "Required" if key.required else f"Default: {_default(key)}"
    if key.allowed:
        yield f"Allowed: {'; '.join(key.allowed)}"
    if key.refers:
        sections = [link(title_of(model), f"#{places[model, '']}") for model in dict.fromkeys(key.refers)]
        yield f"See: {', '.join(sections)}"


def _default(key: Key) -> str:
    if key.required:
        return "required"
    return code(flow(key.default)) if key.has_default else "none"
