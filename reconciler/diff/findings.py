"""What findings mean for an environment: which are drift, whose package they belong to, and how to say it."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from enum import Enum

from reconciler.diff.model import Origin, PackageAction, PackageChange, ReasonCode
from reconciler.observe.actual import Distribution, Finding
from reconciler.observe.actual import FindingCode as Code


class Concern(Enum):
    """What a finding is about: the environment as such, a distribution's metadata, or files."""

    ENVIRONMENT = "environment"
    METADATA = "metadata"
    FILES = "files"


# Each code's sentence; those of files go after a count ("2 files edited, 1 missing").
PHRASES: Mapping[Concern, Mapping[Code, str]] = {
    Concern.ENVIRONMENT: {
        Code.MISSING_PYVENV_CFG: "pyvenv.cfg is missing",
        Code.BAD_PYVENV_CFG: "pyvenv.cfg is damaged",
        Code.WRONG_HOME: "pyvenv.cfg names another interpreter",
        Code.DANGLING_INTERPRETER: "bin/python leads nowhere",
        Code.SYSTEM_SITE_PACKAGES: "system site packages were switched by hand",
        Code.MOVED: "its scripts name another place",
        Code.FOREIGN_DIRECTORY: "a directory stands at its path",
        Code.FOREIGN_VENV: "a virtual environment that is not ours stands at its path",
        Code.FOREIGN_SYMLINK: "a link to elsewhere stands at its path",
        Code.FOREIGN_FILE: "a file stands at its path",
        Code.UNREADABLE: "something in it could not be read",
        Code.INVENTORY_UNREADABLE: "its inventory is damaged",
    },
    Concern.METADATA: {
        Code.MISSING_METADATA: "METADATA is missing",
        Code.EMPTY_METADATA: "METADATA is empty",
        Code.UNDECODABLE_METADATA: "METADATA is not UTF-8",
        Code.INVALID_METADATA: "METADATA has no name or no version",
        Code.INVALID_VERSION: "its version is not a PEP 440 version",
        Code.MISSING_RECORD: "RECORD is missing",
        Code.BAD_RECORD: "RECORD is damaged",
        Code.BAD_DIRECT_URL: "direct_url.json is damaged",
        Code.DUPLICATE_DIST_INFO: "it is installed twice",
        Code.LEFTOVER: "an uninstall was cut short",
        Code.EGG_LINK: "it is an egg-link",
    },
    Concern.FILES: {
        Code.FILE_CHANGED: "edited",
        Code.FILE_MISSING: "missing",
        Code.FILE_ADDED: "added",
        Code.FILE_TYPE_CHANGED: "of another type",
        Code.MODE_CHANGED: "with another mode",
        Code.STRAY_BYTECODE: "of stray bytecode",
        Code.BYTECODE_MISMATCH: "of altered bytecode",
    },
}
CONCERNS: Mapping[Code, Concern] = {code: concern for concern, phrases in PHRASES.items() for code in phrases}
SHOWN = 3


def concern(finding: Finding) -> Concern:
    """Return what a finding is about."""
    return CONCERNS[finding.code]


def drifted(findings: Iterable[Finding], accepted: Collection[str], ignored: Collection[str]) -> tuple[Finding, ...]:
    """Return the findings that are drift: not there when the generation was sealed, and in nobody else's package.

    A file finding that a metadata finding already tells of (an emptied METADATA was edited, too) is left out.
    """
    new = {each for each in findings if each.key not in accepted and each.package not in ignored}
    told = {each.path for each in new if concern(each) is Concern.METADATA}
    return tuple(sorted(each for each in new if concern(each) is not Concern.FILES or not _is_told(each.path, told)))


def _is_told(path: str, told: Collection[str]) -> bool:
    """Say whether a metadata finding is about this file, or about the metadata directory that it is in."""
    return path in told or path.rpartition("/")[0] in told


def beyond(findings: Iterable[Finding], changes: Iterable[PackageChange]) -> tuple[Finding, ...]:
    """Return the findings that a package's own drift does not already explain: one line a package is enough."""
    by_hand = {each.name for each in changes if each.origin is not Origin.PENDING}
    return tuple(each for each in findings if each.package not in by_hand)


def with_repairs(
    changes: Iterable[PackageChange], findings: Iterable[Finding], found: Mapping[str, Distribution]
) -> tuple[PackageChange, ...]:
    """Return the changes and, for packages with findings, a repair; one that changes anyway becomes `both`."""
    lines = {each.name: each for each in changes}
    damaged: dict[str, list[Finding]] = {}
    for each in findings:
        damaged.setdefault(each.package, []).append(each)
    for name, wrong in damaged.items():
        files = tuple(sorted({each.path for each in wrong if each.path}))
        if name in lines:
            line = lines[name]
            lines[name] = replace(line, origin=Origin.BOTH, message=f"{line.message}, and {damage(wrong)}", files=files)
        elif name in found:
            damaged_metadata = any(concern(each) is Concern.METADATA for each in wrong)
            lines[name] = PackageChange(
                name=name,
                action=PackageAction.REPAIR,
                origin=Origin.DRIFT,
                reason=ReasonCode.METADATA_DAMAGED if damaged_metadata else ReasonCode.FILES_EDITED,
                message=damage(wrong),
                before=found[name].version,
                after=found[name].version,
                files=files,
            )
    return tuple(lines[name] for name in sorted(lines))


def damage(findings: Iterable[Finding]) -> str:
    """Return one package's damage as a sentence: `2 files edited, 1 missing, RECORD is missing`."""
    listed = tuple(findings)
    files = [each for each in listed if concern(each) is Concern.FILES]
    others = dict.fromkeys(PHRASES[concern(each)][each.code] for each in listed if each not in files)
    return ", ".join([*([count_files(files)] if files else []), *others])


def count_files(findings: Iterable[Finding]) -> str:
    """Return `2 files edited, 1 missing` for findings about files, in the order of their codes."""
    counts = Counter(each.code for each in findings)
    parts = [f"{counts[code]} {phrase}" for code, phrase in PHRASES[Concern.FILES].items() if counts[code]]
    number, _, rest = parts[0].partition(" ")
    return ", ".join([f"{number} {'file' if number == '1' else 'files'} {rest}", *parts[1:]])


def environment_damage(findings: Iterable[Finding]) -> str:
    """Return what is wrong with an environment and its metadata as a sentence, the first three named."""
    said = dict.fromkeys(
        f"{each.package}: {PHRASES[concern(each)][each.code]}" if each.package else PHRASES[concern(each)][each.code]
        for each in findings
    )
    rest = len(said) - SHOWN
    return ", ".join([*list(said)[:SHOWN], *([f"and {rest} more"] if rest > 0 else [])])
