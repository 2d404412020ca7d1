"""What `doctor` prints: the file system of the root and the interpreters of this host, with what is wrong."""

from reconciler.canonical_json import to_json
from reconciler.diagnosis import Diagnosis
from reconciler.fs.file_system import NEEDED, Ability
from reconciler.interpreters.choose import Surveyed
from reconciler.json_output import json_text, safe_json
from reconciler.render.environment_text import hint_lines
from reconciler.render.escape import sanitize
from reconciler.render.layout import Segment, align_columns, entry_lines
from reconciler.render.style import Palette, Style
from reconciler.state.root_file_system import SUITABLE_HINT

_CONSEQUENCES = {
    Ability.LOCKS: "two applies could run at the same time",
    Ability.SYMLINKS: "an environment needs them",
    Ability.PERMISSIONS: "an environment needs them",
    Ability.HARD_LINKS: "each generation has its own copy of every file",
    Ability.EXCHANGE: "while `--adopt` replaces an environment, nothing is at its path for a moment",
    Ability.FLUSH: "a power cut can lose what was written",
    Ability.CLONES: "not needed: files are shared by hard links",
    Ability.CASE: "files whose names differ only in case replace each other",
    Ability.UNICODE: "files whose names differ only in their Unicode form replace each other",
    Ability.PROGRAMS: "scripts and compiled modules cannot be started from here (mount option `noexec`)",
}


def render_diagnosis(found: Diagnosis, root: str, *, palette: Palette, width: int) -> str:
    """Return the text; `root` is the path of the root as it is shown."""
    lines = _file_system_lines(found, sanitize(root), palette, width)
    lines += ["", "Interpreters:", *_interpreter_lines(found.interpreters, palette, width)]
    lines += ["", "Problems found: see above." if found.has_problems else "No problems found."]
    return "".join(f"{line}\n" for line in lines)


def diagnosis_json(found: Diagnosis) -> str:
    """Return the diagnosis as a JSON object; the abilities of the file system have names such as `hard_links`."""
    document = to_json(found)
    assert isinstance(document, dict)  # noqa: S101  # a dataclass
    if found.file_system is not None:
        abilities = {each.name.lower(): can for each, can in found.file_system.abilities.items()}
        document["file_system"] = to_json({"kind": found.file_system.kind, "abilities": abilities})
    return json_text(safe_json(document), indent=2)


def _file_system_lines(found: Diagnosis, root: str, palette: Palette, width: int) -> list[str]:
    system = found.file_system
    if system is None:
        where = f"`{sanitize(found.tried_in)}`"
        lines = [f"Root `{root}`: its file system could not be tried in {where}: {sanitize(found.problem)}"]
        return lines + (hint_lines(found.hint, palette=palette, width=width) if found.hint else [])
    kind = f" ({sanitize(system.kind)})" if system.kind else ""
    lines = [f"Root `{root}`, on this file system{kind}:"]
    rows = []
    for each, can in system.abilities.items():
        needed = each in NEEDED
        style = Style.GOOD if can else Style.BAD if needed else Style.FAINT
        rows.append([Segment(text=each), Segment(text="yes" if can else "no", style=style)])
    for columns, (each, can) in zip(align_columns(rows), system.abilities.items(), strict=True):
        text = [] if can else [Segment(text=_CONSEQUENCES[each])]
        lines += entry_lines(columns, text, palette=palette, width=width, indent=2)
    if system.missing:
        lines += hint_lines(SUITABLE_HINT, palette=palette, width=width)
    return lines


def _interpreter_lines(found: tuple[Surveyed, ...], palette: Palette, width: int) -> list[str]:
    if not found:
        return ["  none", *hint_lines("install Python", palette=palette, width=width)]
    lines = []
    rows = [[Segment(text=sanitize(each.version) or "-", style=Style.STRONG)] for each in found]
    for columns, each in zip(align_columns(rows), found, strict=True):
        text = [Segment(text=sanitize(each.problem or each.path))]  # a problem names the path
        lines += entry_lines(columns, text, palette=palette, width=width, indent=2)
        if each.hint:
            lines += hint_lines(each.hint, palette=palette, width=width)
    return lines
