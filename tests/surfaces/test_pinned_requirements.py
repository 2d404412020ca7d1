"""`.github/action/requirements.txt` pins what envsync and its build require: the action installs no other file."""

import re
import tomllib

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.surfaces.action import TOP

TEXT = (TOP / ".github/action/requirements.txt").read_text(encoding="utf-8")
PROJECT = tomllib.loads((TOP / "pyproject.toml").read_text(encoding="utf-8"))
HASH = r"--hash=sha256:[0-9a-f]{64}"


def pinned() -> dict[str, Requirement]:
    logical = [line for line in TEXT.replace("\\\n", " ").splitlines() if not line.startswith("#")]
    found: dict[str, Requirement] = {}
    for line in logical:
        requirement = Requirement(re.split(r"\s--hash", line, maxsplit=1)[0])
        found[canonicalize_name(requirement.name)] = requirement
    assert len(found) == len(logical)
    return found


def test_every_line_is_an_exact_version_with_hashes_and_nothing_else() -> None:
    """Neither an option nor a URL: which index serves the files does not matter."""
    for line in TEXT.replace("\\\n", " ").splitlines():
        if not line.startswith("#"):
            assert re.fullmatch(rf"[a-z0-9-]+==[\w.]+( ; [\w'.= ]+?)?(\s+{HASH})+", line), line


def test_the_versions_satisfy_what_the_project_and_its_build_require() -> None:
    declared = [
        *PROJECT["project"]["dependencies"],
        *PROJECT["project"]["optional-dependencies"]["git"],
        *PROJECT["build-system"]["requires"],
    ]
    found = pinned()
    for each in map(Requirement, declared):
        [version] = found[canonicalize_name(each.name)].specifier
        assert version.operator == "=="
        assert each.specifier.contains(version.version), f"{each}: regenerate .github/action/requirements.txt"
