"""The small parsers: pyvenv.cfg, headers, RECORD, direct URLs, versions, git's files."""

import json
from pathlib import Path

import pytest

from reconciler.observe.actual import FindingCode, Occupant, OriginKind
from reconciler.observe.direct_url import parse_direct_url
from reconciler.observe.editable import editable_lines
from reconciler.observe.environment import observe_path
from reconciler.observe.metadata import headers, read_identity, read_requirements
from reconciler.observe.pyvenv_cfg import PyvenvCfgError, parse_pyvenv_cfg, read_pyvenv_cfg
from reconciler.observe.record_file import is_valid_record, recorded_paths
from reconciler.versions import is_version, same_version


@pytest.mark.parametrize(
    ("text", "version", "system"),
    [
        ("home = /h\ninclude-system-site-packages = false\nversion = 3.12.1\ncommand = x = y\n", "3.12.1", False),
        ("home = /h\nversion_info = 3.11.7.final.0\ninclude-system-site-packages = true\n", "3.11.7", True),
        (
            "home=/h\nuv = 0.13.8\nversion_info = 3.13.0\ninclude-system-site-packages=false\nprompt = a\n",
            "3.13.0",
            False,
        ),
        ("HOME = /x\nhome = /h\nInclude-System-Site-Packages = TRUE\nnonsense\n", "", True),
        ("home = /h\n", "", True),
    ],
)
def test_pyvenv_cfg_of_venv_virtualenv_and_uv(text: str, version: str, system: bool) -> None:
    found = parse_pyvenv_cfg(text)
    assert (found.home, found.version, found.system_site_packages) == ("/h", version, system)


def test_a_missing_or_invalid_pyvenv_cfg_has_a_finding_code(tmp_path: Path) -> None:
    with pytest.raises(PyvenvCfgError) as missing:
        read_pyvenv_cfg(tmp_path)
    assert missing.value.finding is FindingCode.MISSING_PYVENV_CFG
    (tmp_path / "pyvenv.cfg").mkdir()
    with pytest.raises(PyvenvCfgError) as bad:
        read_pyvenv_cfg(tmp_path)
    assert bad.value.finding is FindingCode.BAD_PYVENV_CFG


def test_headers_end_at_the_same_line_as_in_email_parser() -> None:
    text = "  stray\nA: 1\n b\n\tc\nB:\nC:2 \nno header\nD: 4\n"
    assert list(headers(text)) == [("a", "1\n b\n\tc"), ("b", ""), ("c", "2 ")]
    assert read_identity("\ufeffName: a\n").name is None
    assert read_identity("Name: a\nName: b\nVersion: 1").name == "a"
    assert read_identity("").version is None


def test_requirements_of_metadata_and_of_requires_txt(tmp_path: Path) -> None:
    info = tmp_path / "a.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(
        "Name: a\nRequires-Dist: b>=1\nRequires-Dist: c ; extra == 'x'\n\nRequires-Dist: no\n"
    )
    assert read_requirements(info) == ["b>=1", "c ; extra == 'x'"]
    egg = tmp_path / "a.egg-info"
    egg.mkdir()
    (egg / "PKG-INFO").write_text("Name: a\n")
    (egg / "requires.txt").write_text("b>=1\n\n[Test_X]\nc\n[:python_version<'3']\nd\n[e:os_name=='nt']\nf\n")
    assert read_requirements(egg) == [
        "b>=1",
        'c ; extra == "test-x"',
        "d ; (python_version<'3')",
        "f ; (os_name=='nt') and extra == \"e\"",
    ]
    assert read_requirements(tmp_path / "nowhere") == []


@pytest.mark.parametrize(
    ("text", "good"),
    [
        ("a.py,sha256=x,1\nb,,\n", True),
        ("", True),
        ('"a,b.py",sha256=x,1\r\n', True),
        ("a.py\n", False),
        ("a.py,,\n\nb.py,,", True),
        ('"a,b.py",,\n\nb.py,,', True),
        ('"a,b.py",sha\n', False),
        ('"a.py",,,\n', False),
        ('"",sha,1\n', False),
        ('"a.py",,\n,,\n', False),
        ("a.py,,\nb.py", False),
        ("a.py,,\nb.py,sha", False),
        ("a,b,c,d\n", False),
        (",,\n", False),
        ('"a.py,,\n', False),
    ],
)
def test_a_record_is_valid_or_not(text: str, good: bool) -> None:
    assert is_valid_record(text) is good


def test_paths_of_a_record_are_relative_to_the_environment() -> None:
    text = '../../../bin/tool,,\n"a,b.py",,\n../../../../../etc/passwd,,\n/etc/passwd,,\n'
    assert recorded_paths(text, "lib/python3.12/site-packages") == ["bin/tool", "lib/python3.12/site-packages/a,b.py"]


def test_direct_urls() -> None:
    vcs = {"vcs": "git", "commit_id": "abc", "requested_revision": "main"}
    origin, _ = parse_direct_url(
        json.dumps({"url": "https://g.example/a", "vcs_info": vcs, "subdirectory": "s"}).encode()
    )
    assert (origin.kind, origin.vcs, origin.commit, origin.subdirectory) == (OriginKind.VCS, "git", "abc", "s")
    origin, _ = parse_direct_url(b'{"url": "file:///a.whl", "archive_info": {"hash": "sha256=1"}}')
    assert (origin.kind, origin.hash) == (OriginKind.ARCHIVE, "sha256=1")
    origin, place = parse_direct_url(b'{"url": "file:///a%20b", "dir_info": {"editable": true}}')
    assert (origin.kind, place) == (OriginKind.EDITABLE, "/a b")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "null",
        "[" * 100_000,
        '{"url": 1, "dir_info": {}}',
        '{"dir_info": {}}',
        '{"url": "file:///a"}',
        '{"url": "file:///a", "dir_info": {"editable": "yes"}}',
        '{"url": "file:///a", "vcs_info": {"vcs": "git"}}',
        '{"url": "file:///a", "archive_info": {"hash": "md5"}}',
        '{"url": "file:///a", "archive_info": {"hash": "md5=1", "hashes": {"md5": "2"}}}',
        '{"url": "file:///a", "archive_info": {"hashes": {"md5": 2}}}',
        '{"url": "file://host/a", "dir_info": {"editable": true}}',
        '{"url": "http://[", "dir_info": {}}',
        '{"url": "file:///a%00", "dir_info": {"editable": true}}',
        '{"url": "file:///a", "dir_info": {}, "subdirectory": 1}',
    ],
)
def test_an_invalid_direct_url_is_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  # any reason
        parse_direct_url(text.encode())


def test_versions() -> None:
    assert all(is_version(text) for text in ("1.0", "1!2.0rc1.post2.dev3+a.b", "1.0-1", "V1.0.ALPHA"))
    assert not any(is_version(text) for text in ("", "2004d", "1.0\n2", "1.0+", "one"))
    assert same_version("1.0", "1.0.0")
    assert not same_version("x", "1.0")


def test_a_repository_with_a_reftable_has_an_unknown_commit(tmp_path: Path) -> None:
    git = tmp_path / ".git"
    (git / "objects").mkdir(parents=True)
    (git / "refs").mkdir()
    (git / "reftable").mkdir()
    (git / "HEAD").write_text("ref: refs/heads/.invalid\n")
    (git / "config").write_text('[remote "origin"]\n\turl = https://git.example/a.git\n')
    expected = ["## !! Could not determine repository location", f"-e {tmp_path}"]
    assert editable_lines(str(tmp_path), "acme", "acme==1.0") == expected


@pytest.mark.parametrize("name", [".svn", ".hg", ".bzr"])
def test_other_version_control_systems_are_unknown(name: str, tmp_path: Path) -> None:
    (tmp_path / name).mkdir()
    expected = ["## !! Could not determine repository location", f"-e {tmp_path}"]
    assert editable_lines(str(tmp_path), "acme", "acme==1.0") == expected


def test_any_other_path_has_its_occupant(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert observe_path(tmp_path / "nowhere").occupant is Occupant.ABSENT
    assert observe_path(tmp_path / "file").occupant is Occupant.OTHER
    assert observe_path(tmp_path / "file" / "below").occupant is Occupant.ABSENT
    assert observe_path(tmp_path).occupant is Occupant.DIRECTORY
