"""The category and the words of each finding, and sentences about several findings."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from enum import Enum

from reconciler.observe.actual import Finding
from reconciler.observe.actual import FindingCode as Code


class FindingCategory(Enum):
    """What a finding is about: the environment as a whole, a distribution's metadata, or a file."""

    ENVIRONMENT = "environment"
    METADATA = "metadata"
    FILES = "files"


# The words of each code. Those of files follow a count ("2 files edited, 1 missing").
PHRASES: Mapping[FindingCategory, Mapping[Code, str]] = {
    FindingCategory.ENVIRONMENT: {
        Code.MISSING_PYVENV_CFG: "pyvenv.cfg is missing",
        Code.BAD_PYVENV_CFG: "pyvenv.cfg is damaged",
        Code.WRONG_HOME: "pyvenv.cfg names a different interpreter",
        Code.DANGLING_INTERPRETER: "bin/python points to a missing interpreter",
        Code.SYSTEM_SITE_PACKAGES: "system site packages were switched manually",
        Code.MOVED: "its scripts name a different path",
        Code.FOREIGN_DIRECTORY: "a directory that envsync did not create exists at its path",
        Code.FOREIGN_VENV: "a virtual environment that envsync did not create exists at its path",
        Code.FOREIGN_SYMLINK: "a symbolic link that envsync did not create exists at its path",
        Code.FOREIGN_FILE: "a file that envsync did not create exists at its path",
        Code.UNREADABLE: "a file or directory in it could not be read",
        Code.ACCESS_NARROWED: "users who may read the root cannot read all of it",
        Code.INVENTORY_UNREADABLE: "its inventory is damaged",
        Code.SEAL_DAMAGED: "its seal is damaged",
    },
    FindingCategory.METADATA: {
        Code.MISSING_METADATA: "METADATA is missing",
        Code.EMPTY_METADATA: "METADATA is empty",
        Code.UNDECODABLE_METADATA: "METADATA is not UTF-8",
        Code.INVALID_METADATA: "METADATA lacks a name or a version",
        Code.INVALID_VERSION: "its version is not a valid PEP 440 version",
        Code.MISSING_RECORD: "RECORD is missing",
        Code.BAD_RECORD: "RECORD is damaged",
        Code.BAD_DIRECT_URL: "direct_url.json is damaged",
        Code.DUPLICATE_DIST_INFO: "it is installed twice",
        Code.LEFTOVER: "an uninstall was interrupted",
        Code.EGG_LINK: "it is installed as an egg-link",
        Code.EDITABLE_MISSING: "the project that it is installed from is missing, or incomplete",
    },
    FindingCategory.FILES: {
        Code.STARTUP_ADDED: "added",
        Code.STARTUP_CHANGED: "changed",
        Code.FILE_CHANGED: "edited",
        Code.FILE_MISSING: "missing",
        Code.DIRECTORY_MISSING: "missing",
        Code.FILE_ADDED: "added",
        Code.FILE_TYPE_CHANGED: "of a different type",
        Code.MODE_CHANGED: "with a different mode",
        Code.STRAY_BYTECODE: "of stray bytecode",
        Code.BYTECODE_MISMATCH: "of mismatched bytecode",
    },
}
_NOUNS: Mapping[Code, tuple[str, str]] = {
    Code.DIRECTORY_MISSING: ("empty directory", "empty directories"),
    **dict.fromkeys((Code.STARTUP_ADDED, Code.STARTUP_CHANGED), ("startup file", "startup files")),
}
_FILES = ("file", "files")
# The paths that the words above name.
PATHS_IN_PHRASES: Mapping[Code, str] = {
    Code.MISSING_PYVENV_CFG: "pyvenv.cfg",
    Code.BAD_PYVENV_CFG: "pyvenv.cfg",
    Code.WRONG_HOME: "pyvenv.cfg",
    Code.DANGLING_INTERPRETER: "bin/python",
}
CATEGORIES: Mapping[Code, FindingCategory] = {code: each for each, phrases in PHRASES.items() for code in phrases}
SHOWN = 3  # packages, files or damaged parts that a sentence names


def category_of(finding: Finding) -> FindingCategory:
    """Return what a finding is about."""
    return CATEGORIES[finding.code]


def phrase_of(finding: Finding) -> str:
    """Return the words of a finding's code; those of a file follow a count."""
    return PHRASES[category_of(finding)][finding.code]


def package_damage(findings: Iterable[Finding]) -> str:
    """Return the damage of one package as a sentence: `2 files edited, 1 missing, RECORD is missing`."""
    listed = tuple(findings)
    files = [each for each in listed if category_of(each) is FindingCategory.FILES]
    others = dict.fromkeys(phrase_of(each) for each in listed if category_of(each) is not FindingCategory.FILES)
    return ", ".join([*([count_files(files)] if files else []), *others])


def count_files(findings: Iterable[Finding]) -> str:
    """Return `2 files edited, 1 missing, 1 empty directory missing` for findings about files, in the order of codes.

    A noun is left out if it is that of the number before.
    """
    counts = Counter(each.code for each in findings)
    parts = []
    before = None
    for code, phrase in PHRASES[FindingCategory.FILES].items():
        if number := counts[code]:
            nouns = _NOUNS.get(code, _FILES)
            noun = "" if nouns == before else f"{nouns[number != 1]} "
            parts.append(f"{number} {noun}{phrase}")
            before = nouns
    return ", ".join(parts)


def noun_of(finding: Finding) -> str:
    """Return the noun to which the words of a file's finding belong: `file`, `startup file` or `empty directory`."""
    return _NOUNS.get(finding.code, _FILES)[0]


def first_of(names: Sequence[str]) -> str:
    """Return the first three names, and how many more there are; empty if there are none."""
    rest = len(names) - SHOWN
    return ", ".join([*names[:SHOWN], *([f"and {rest} more"] if rest > 0 else [])])


def environment_damage(findings: Iterable[Finding]) -> str:
    """Return what is wrong with an environment and its metadata as a sentence that names the first three."""
    found = dict.fromkeys(
        f"{each.package}: {phrase_of(each)}" if each.package else phrase_of(each) for each in findings
    )
    return first_of(list(found))
