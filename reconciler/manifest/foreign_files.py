"""Files of other tools that are named as requirements files, and what to write in the manifest instead."""

import re
from pathlib import PurePosixPath

import yaml

from reconciler.manifest.flow_text import flow
from reconciler.manifest.paths import LOCK_SOURCE
from reconciler.manifest.requirement_corrections import corrected_requirement

_PROJECTS = frozenset({"pyproject.toml", "setup.py", "setup.cfg"})
_LONGEST = 300  # characters of the packages in a hint
_MOST_BYTES = 100_000  # of a conda file that is read for a hint


def foreign_file_hint(name: str, text: str) -> str:
    """Return what to write instead of the file `name`, whose content is `text`; empty for a requirements file."""
    path = PurePosixPath(name.replace("\\", "/"))
    if path.name in _PROJECTS:
        project = {"path": path.parent.as_posix()}
        return f"write `project: {flow(project)}` instead, which installs the project"
    if LOCK_SOURCE.fullmatch(path.name):
        source = {"from": path.as_posix()}
        return f"write `lock: {flow(source)}` instead, which installs what that lock has"
    if path.name in {"Pipfile", "Pipfile.lock"}:
        return "run `pipenv requirements > requirements.txt`, and write the path of that file"
    if path.suffix in {".yml", ".yaml"}:
        packages = _conda_packages(text)
        keys = flow({"packages": packages})[1:-1]
        if packages and len(keys) <= _LONGEST:
            return f"write `{keys}` instead"
        return "write its packages in `packages`: a conda file is not a requirements file"
    return ""


def _conda_packages(text: str) -> tuple[str, ...]:
    """Return the packages of a conda environment as requirements, without Python and pip; empty if any is unknown."""
    if len(text) > _MOST_BYTES or re.search(r"[&*]\w", text):  # anchors could make it much larger
        return ()
    try:
        content = yaml.load(text, Loader=yaml.CSafeLoader)
    except (yaml.YAMLError, ValueError, RecursionError):
        return ()
    dependencies = content.get("dependencies") if isinstance(content, dict) else None
    found: list[str] = []
    for each in dependencies if isinstance(dependencies, list) else ():
        inner = each.get("pip") if isinstance(each, dict) else None
        found += inner if isinstance(inner, list) else [each]
    texts = [str(each).rpartition("::")[2].strip() for each in found]
    packages = [each for each in texts if not re.match(r"(python|pip|setuptools)(?![\w-])", each)]
    corrected = [corrected_requirement(f" {each} ") for each in packages]
    return tuple(corrected) if all(corrected) else ()
