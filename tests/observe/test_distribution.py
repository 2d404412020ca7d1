"""What is wrong with a distribution: the words of each finding, and the hash of the file that it is about."""

import hashlib
from pathlib import Path
from typing import Any

import pytest

from reconciler.observe.actual import Finding, FindingCode, OriginKind
from reconciler.observe.distribution import Candidate, Reading, read_distribution
from tests.observe.trees import build
from tests.unprivileged import reachable_directory, unprivileged


def candidate(top: Path, name: str = "acme-1.0.dist-info", *, inside: bool = True) -> Candidate:
    place = f"site/{name}"
    return Candidate(path=f"{top}/{place}", place=place, boundary=str(top), location="site", inside=inside)


def read(top: Path, tree: dict[str, Any], name: str = "acme-1.0.dist-info", *, inside: bool = True) -> Reading:
    build(top, {f"site/{name}" if not path else f"site/{name}/{path}": wanted for path, wanted in tree.items()})
    return read_distribution(candidate(top, name, inside=inside), sealed=False)


METADATA = "Name: acme\nVersion: 1.0\n"
SOUND = {"METADATA": METADATA, "RECORD": "acme.py,,\n"}


def test_a_sound_distribution_has_no_findings(tmp_path: Path) -> None:
    found = read(tmp_path, {**SOUND, "INSTALLER": " uv \nmore"})
    assert found.findings == []
    assert found.distribution is not None
    assert (found.distribution.name, found.distribution.version, found.distribution.named_version) == (
        "acme",
        "1.0",
        "1.0",
    )
    assert (found.distribution.installer, found.distribution.location) == ("uv", "site")
    assert (found.distribution.place, found.distribution.origin.kind) == ("site/acme-1.0.dist-info", OriginKind.INDEX)


@pytest.mark.parametrize(
    ("tree", "code", "file", "detail"),
    [
        ({"METADATA": " \n"}, FindingCode.EMPTY_METADATA, "METADATA", "METADATA is empty"),
        ({"METADATA": "x\n"}, FindingCode.INVALID_METADATA, "METADATA", "METADATA has no Name and no Version"),
        ({"METADATA": "Name: acme\n"}, FindingCode.INVALID_METADATA, "METADATA", "METADATA has no Version"),
        ({"METADATA": "Version: 1.0\n"}, FindingCode.INVALID_METADATA, "METADATA", "METADATA has no Name"),
        (
            {"METADATA": None, "PKG-INFO": {"hex": "4e616d653a20ff0a56657273696f6e3a20310a"}},
            FindingCode.UNDECODABLE_METADATA,
            "PKG-INFO",
            "PKG-INFO is not UTF-8",
        ),
        ({"METADATA": None}, FindingCode.MISSING_METADATA, "", "METADATA is missing"),
        (
            {"METADATA": "Name: acme\nVersion: 2.0\n"},
            FindingCode.INVALID_METADATA,
            "",
            "its version is 2.0 in METADATA and 1.0 in the directory name",
        ),
        (
            {"RECORD": None},
            FindingCode.MISSING_RECORD,
            "",
            "RECORD is missing, so the files of the package are unknown",
        ),
        ({"RECORD": "x\n"}, FindingCode.BAD_RECORD, "RECORD", "RECORD could not be parsed"),
        ({"RECORD": {"hex": "ff"}}, FindingCode.BAD_RECORD, "RECORD", "RECORD could not be parsed"),
        (
            {"direct_url.json": "{}"},
            FindingCode.BAD_DIRECT_URL,
            "direct_url.json",
            "direct_url.json is invalid: ",
        ),
        (
            {"INSTALLER": {"link": "/etc/passwd"}},
            FindingCode.UNREADABLE,
            "INSTALLER",
            "INSTALLER could not be read: a symbolic link to a file outside the environment",
        ),
    ],
)
def test_a_problem_names_its_file_and_has_its_hash(
    tmp_path: Path, tree: dict[str, Any], code: FindingCode, file: str, detail: str
) -> None:
    found = read(tmp_path, {**SOUND, **tree})
    [finding] = [each for each in found.findings if each.code is code]
    place = "site/acme-1.0.dist-info"
    assert (finding.path, finding.package) == (f"{place}/{file}" if file else place, "acme")
    assert finding.detail.startswith(detail)
    path = tmp_path / place / file
    wanted = hashlib.sha256(path.read_bytes()).hexdigest() if file and not path.is_symlink() else ""
    assert finding.content == wanted
    outside = read(tmp_path, {}, inside=False)
    assert {each.path for each in outside.findings} == {place}


def test_a_sealed_record_is_not_read(tmp_path: Path) -> None:
    read(tmp_path, {**SOUND, "RECORD": "x\n"})
    found = candidate(tmp_path)
    assert read_distribution(found, sealed=True).findings == []
    assert [each.code for each in read_distribution(found, sealed=False).findings] == [FindingCode.BAD_RECORD]


@pytest.mark.parametrize(
    ("name", "tree", "key", "version", "codes"),
    [
        ("acme-one.dist-info", {"METADATA": METADATA}, "acme", "1.0", {FindingCode.INVALID_VERSION}),
        ("acme.egg-info", {"PKG-INFO": METADATA}, "acme", "1.0", set()),
        ("acme-3.0-py3.8.egg-info", {"PKG-INFO": "Name: acme\n"}, "acme", "3.0", {FindingCode.INVALID_METADATA}),
        ("acme.egg-info", {"PKG-INFO": "Name: acme\n"}, "acme", "", {FindingCode.INVALID_METADATA}),
        ("acme.egg-info", {"": METADATA}, "acme", "1.0", set()),
        ("acme.egg-info", {"": "Name: acme\nVersion: old\n"}, "acme", "old", {FindingCode.INVALID_VERSION}),
        ("EGG-INFO", {"PKG-INFO": METADATA}, "acme", "1.0", set()),
        ("Acme_X-1.0.dist-info", {"METADATA": "Name: other\nVersion: 1.0.0\n"}, "other", "1.0.0", set()),
    ],
)
def test_name_and_version_come_from_metadata_or_from_the_name(
    tmp_path: Path, name: str, tree: dict[str, Any], key: str, version: str, codes: set[FindingCode]
) -> None:
    found = read(tmp_path, tree, name)
    assert found.distribution is not None
    assert (found.distribution.key, found.distribution.version) == (key, version)
    assert {each.code for each in found.findings} - {FindingCode.MISSING_RECORD} == codes


@pytest.mark.parametrize("name", [".dist-info", "-1.0.dist-info", "_x_.egg-info"])
def test_without_a_valid_name_nothing_is_a_distribution(tmp_path: Path, name: str) -> None:
    found = read(tmp_path, {"METADATA": "Version: 1.0\n"}, name)
    assert found.distribution is None
    assert "it has no valid package name" in {each.detail for each in found.findings}


def test_an_editable_project_is_where_its_modules_are(tmp_path: Path) -> None:
    project = tmp_path / "project"
    url = f'{{"url": "{project.as_uri()}", "dir_info": {{"editable": true}}}}'
    tree = {**SOUND, "direct_url.json": url}
    missing = read(tmp_path, tree)
    [finding] = missing.findings
    assert (finding.code, finding.detail) == (
        FindingCode.EDITABLE_MISSING,
        f"it is installed from `{project}`, which does not exist",
    )
    assert finding.path.endswith("/direct_url.json")
    project.mkdir()
    [finding] = read(tmp_path, tree).findings
    assert finding.detail == f"it is installed from `{project}`, which contains no project"
    (project / "pyproject.toml").touch()
    found = read(tmp_path, tree)
    assert found.findings == []
    assert found.distribution is not None
    assert (found.distribution.location, found.distribution.origin.kind) == (str(project), OriginKind.EDITABLE)


def test_the_directories_of_an_editable_project_must_exist(tmp_path: Path) -> None:
    project = tmp_path / "project"
    project.mkdir()
    (project / "pyproject.toml").touch()
    (tmp_path / "site").mkdir()
    (tmp_path / "site/_acme.pth").write_text(f"{project}/src\n")
    url = f'{{"url": "{project.as_uri()}", "dir_info": {{"editable": true}}}}'
    tree = {"METADATA": METADATA, "RECORD": "_acme.pth,,\n", "direct_url.json": url}
    [finding] = read(tmp_path, tree).findings
    assert (finding.code, finding.path, finding.package) == (FindingCode.EDITABLE_MISSING, "site/_acme.pth", "acme")
    assert finding.detail == f"its modules are imported from `{project}/src`, which does not exist"
    [outside] = read(tmp_path, tree, inside=False).findings
    assert outside.path == "site/acme-1.0.dist-info"
    (project / "src").mkdir()
    assert read(tmp_path, tree).findings == []


@pytest.mark.parametrize(("exists", "detail"), [(False, "does not exist"), (True, "contains no project")])
def test_a_missing_editable_project_is_one_finding_although_its_sources_are_missing_too(
    tmp_path: Path, exists: bool, detail: str
) -> None:
    project = tmp_path / "project"
    if exists:
        project.mkdir()
    build(tmp_path, {"site/_acme.pth": f"{project}/src\n"})
    url = f'{{"url": "{project.as_uri()}", "dir_info": {{"editable": true}}}}'
    [finding] = read(tmp_path, {"METADATA": METADATA, "RECORD": "_acme.pth,,\n", "direct_url.json": url}).findings
    assert finding == Finding(
        code=FindingCode.EDITABLE_MISSING,
        path="site/acme-1.0.dist-info/direct_url.json",
        package="acme",
        detail=f"it is installed from `{project}`, which {detail}",
    )


def unread(detail: str) -> list[Finding]:
    """Return the findings about a metadata directory whose files are unknown."""
    place = "site/acme-1.0.dist-info"
    no_record = "RECORD is missing, so the files of the package are unknown"
    return [
        Finding(code=FindingCode.UNREADABLE, path=place, package="acme", detail=detail),
        Finding(code=FindingCode.MISSING_RECORD, path=place, package="acme", detail=no_record),
    ]


@pytest.mark.parametrize(
    ("target", "findings"),
    [("../inside", []), ("../../outside", unread("a symbolic link that points out of the environment"))],
)
def test_a_metadata_directory_may_be_a_link_inside_the_environment(
    tmp_path: Path, target: str, findings: list[Finding]
) -> None:
    build(tmp_path / "outside", SOUND)
    build(tmp_path / "top", {f"inside/{name}": content for name, content in SOUND.items()})
    build(tmp_path / "top", {"site/acme-1.0.dist-info": {"link": target}})
    reading = read(tmp_path / "top", {})
    assert reading.findings == findings
    assert reading.distribution is not None
    assert (reading.distribution.key, reading.distribution.version) == ("acme", "1.0")


def test_a_metadata_directory_that_cannot_be_listed_is_a_finding() -> None:
    with reachable_directory() as top:
        read(top, SOUND)
        (top / "site/acme-1.0.dist-info").chmod(0o311)
        with unprivileged():
            found = read_distribution(candidate(top), sealed=False).findings
    assert found == unread("could not be read: Permission denied")
