"""The distributions that pip lists, each with its place and its origin, and every finding about them."""

import os
import zipfile
from pathlib import Path
from typing import Any

import pytest

from reconciler.observe.actual import Distribution, Finding, FindingCode, InstalledFrom, OriginKind
from reconciler.observe.distributions import Listing, list_distributions
from reconciler.observe.site import find_site
from tests.observe.trees import build
from tests.unprivileged import reachable_directory, unprivileged

SITE = "lib/python3.12/site-packages"
LEGACY = "lib/python3.10/site-packages"
TWICE = FindingCode.DUPLICATE_DIST_INFO


def metadata(name: str, version: str = "1.0") -> str:
    return f"Name: {name}\nVersion: {version}\n"


def info(name: str, *, directory: str = "", version: str = "1.0", site: str = SITE) -> dict[str, Any]:
    """Return a dist-info in a directory of that name, for the distribution `name`."""
    place = f"{site}/{directory or name}-{version}.dist-info"
    return {f"{place}/METADATA": metadata(name, version), f"{place}/RECORD": ""}


def listed(
    top: Path, tree: dict[str, Any], *, local: bool = False, series: str = "3.12", sealed: bool = False
) -> Listing:
    venv = top / "venv"
    build(venv, {f"lib/python{series}/site-packages": {"directory": True}, **tree})
    return list_distributions(str(venv), find_site(str(venv), series), local=local, sealed=sealed)


def installed(
    name: str, place: str, location: str = SITE, *, version: str = "1.0", named: str = "", editable: str = ""
) -> Distribution:
    origin = InstalledFrom(kind=OriginKind.EDITABLE, url=f"file://{editable}") if editable else InstalledFrom()
    key = name.lower().replace("_", "-")
    return Distribution(
        key=key, name=name, version=version, origin=origin, place=place, location=location, named_version=named
    )


def zipped(path: Path, name: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("EGG-INFO/PKG-INFO", metadata(name))


def test_distributions_and_findings_are_sorted(tmp_path: Path) -> None:
    tree = {
        **info("zed"),
        **info("alpha"),
        f"{SITE}/~zz/x": "",
        f"{SITE}/~alpha-0.9.dist-info/METADATA": metadata("alpha", "0.9"),
        f"{SITE}/readme.txt": "",
    }
    detail = "left by an interrupted uninstall; it can be deleted"
    assert listed(tmp_path, tree) == Listing(
        distributions=(
            installed("alpha", f"{SITE}/alpha-1.0.dist-info", named="1.0"),
            installed("zed", f"{SITE}/zed-1.0.dist-info", named="1.0"),
        ),
        findings=(
            Finding(code=FindingCode.LEFTOVER, path=f"{SITE}/~alpha-0.9.dist-info", detail=detail),
            Finding(code=FindingCode.LEFTOVER, path=f"{SITE}/~zz", detail=detail),
        ),
    )


@pytest.mark.parametrize(
    ("legacy", "first", "second"),
    [
        (False, "Some_Tool", "some.tool"),  # the same normalized name
        (False, "some__tool", "some_tool"),
        (True, "some_tool", "Some_Tool"),
        (True, "some.tool", "SOME.tool"),
    ],
)
def test_of_two_directories_of_one_name_the_first_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, legacy: bool, first: str, second: str
) -> None:
    series, site = ("3.10", LEGACY) if legacy else ("3.12", SITE)
    tree = {
        **info("some-tool", directory=first, site=site),
        **info("some-tool", directory=second, version="2.0", site=site),
    }
    listdir = os.listdir
    monkeypatch.setattr(os, "listdir", lambda path: sorted(listdir(path), reverse=True))
    kept, other = sorted([f"{site}/{first}-1.0.dist-info", f"{site}/{second}-2.0.dist-info"], reverse=not legacy)
    version = "1.0" if first in kept else "2.0"
    assert listed(tmp_path, tree, series=series) == Listing(
        distributions=(installed("some-tool", kept, site, version=version, named=version),),
        findings=(Finding(code=TWICE, path=other, package="some-tool", detail=f"installed twice; pip uses `{kept}`"),),
    )


def test_pkg_resources_distinguishes_names_that_only_differ_in_a_dot(tmp_path: Path) -> None:
    """It keeps both, but `pip freeze` prints one line for a name: the one that it reads last."""
    tree = {
        **info("some-tool", directory="some.tool", site=LEGACY),
        **info("some-tool", directory="some_tool", site=LEGACY),
    }
    found = listed(tmp_path, tree, series="3.10")
    places = [f"{LEGACY}/some.tool-1.0.dist-info", f"{LEGACY}/some_tool-1.0.dist-info"]
    assert found.distributions == (installed("some-tool", places[1], LEGACY, named="1.0"),)
    detail = f"installed twice; pip uses `{places[1]}`"
    assert found.findings == (Finding(code=TWICE, path=places[0], package="some-tool", detail=detail),)


@pytest.mark.parametrize("reverse", [False, True])
def test_a_directory_without_a_name_is_a_duplicate_by_the_name_inside(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, reverse: bool
) -> None:
    tree = {f"{SITE}/acme.dist-info/METADATA": metadata("acme"), f"{SITE}/acme.dist-info/RECORD": "", **info("acme")}
    listdir = os.listdir
    monkeypatch.setattr(os, "listdir", lambda path: sorted(listdir(path), reverse=reverse))
    kept, other = sorted([f"{SITE}/acme-1.0.dist-info", f"{SITE}/acme.dist-info"], reverse=reverse)
    assert listed(tmp_path, tree) == Listing(
        distributions=(installed("acme", kept, named="" if reverse else "1.0"),),
        findings=(Finding(code=TWICE, path=other, package="acme", detail=f"installed twice; pip uses `{kept}`"),),
    )


def test_two_directory_names_with_one_name_inside_are_a_duplicate(tmp_path: Path) -> None:
    found = listed(tmp_path, {**info("acme", directory="one"), **info("acme", directory="two")})
    [kept], [finding] = found.distributions, found.findings
    assert {kept.place, finding.path} == {f"{SITE}/one-1.0.dist-info", f"{SITE}/two-1.0.dist-info"}
    assert finding == Finding(
        code=TWICE, path=finding.path, package="acme", detail=f"installed twice; pip uses `{kept.place}`"
    )


def test_a_distribution_without_a_name_is_only_a_finding(tmp_path: Path) -> None:
    found = listed(tmp_path, {f"{SITE}/-1.0.dist-info/METADATA": "Version: 1.0\n"})
    assert found.distributions == ()
    assert {each.code for each in found.findings} == {FindingCode.INVALID_METADATA}
    assert {each.path.removeprefix(f"{SITE}/-1.0.dist-info") for each in found.findings} == {"", "/METADATA"}


@pytest.mark.parametrize("local", [False, True])
def test_what_a_pth_file_adds_outside_counts_unless_only_local_ones_do(tmp_path: Path, local: bool) -> None:
    outside = tmp_path / "outside"
    build(outside, info("other", site="."))
    build(outside, {"Other.egg-info/PKG-INFO": metadata("other")})  # a second one outside is not a finding
    build(outside, {"bare-1.0.dist-info/METADATA": metadata("bare")})
    build(tmp_path, {f"venv/{name}": text for name, text in info("inner", site=f"{SITE}/more").items()})
    found = listed(tmp_path, {f"{SITE}/x.pth": f"{outside}\nmore\n"}, local=local)
    inner = installed("inner", f"{SITE}/more/inner-1.0.dist-info", f"{SITE}/more", named="1.0")
    other = next((each for each in found.distributions if each.key == "other"), None)
    bare = installed("bare", f"{SITE}/x.pth", str(outside), named="1.0")
    assert [each for each in found.distributions if each.key != "other"] == ([inner] if local else [bare, inner])
    assert (other is None) is local
    if other is not None:
        assert (other.place, other.location) == (f"{SITE}/x.pth", str(outside))
    detail = "RECORD is missing, so the files of the package are unknown"
    missing = Finding(code=FindingCode.MISSING_RECORD, path=f"{SITE}/x.pth", package="bare", detail=detail)
    assert found.findings == (() if local else (missing,))


@pytest.mark.parametrize("local", [False, True])
def test_zipped_eggs_inside_and_outside(tmp_path: Path, local: bool) -> None:
    zipped(tmp_path / f"venv/{SITE}/inner.egg", "inner")
    zipped(tmp_path / f"venv/{SITE}/known.egg", "known")
    zipped(tmp_path / "outer.egg", "outer")
    (tmp_path / f"venv/{SITE}/damaged.egg").write_bytes(b"")
    eggs = f"inner.egg\nknown.egg\n{tmp_path}/outer.egg\ndamaged.egg\n"
    found = listed(tmp_path, {**info("known"), f"{SITE}/x.pth": eggs}, local=local)
    expected = [
        installed("inner", f"{SITE}/inner.egg", f"{SITE}/inner.egg"),
        installed("known", f"{SITE}/known-1.0.dist-info", named="1.0"),
    ]
    if not local:
        expected.append(installed("outer", f"{SITE}/x.pth", f"{tmp_path}/outer.egg"))
    assert list(found.distributions) == expected
    [finding] = found.findings
    assert (finding.code, finding.path) == (FindingCode.UNREADABLE, f"{SITE}/damaged.egg")


def test_a_directory_is_read_once_however_often_it_is_named(tmp_path: Path) -> None:
    build(tmp_path / "outside", info("other", site="."))
    found = listed(
        tmp_path,
        {f"{SITE}/a.pth": f"{tmp_path}/outside\n", f"{SITE}/b.pth": f".\n{tmp_path}/outside\n", **info("acme")},
    )
    assert [each.place for each in found.distributions] == [f"{SITE}/acme-1.0.dist-info", f"{SITE}/a.pth"]
    assert found.findings == ()


@pytest.mark.parametrize("local", [False, True])
@pytest.mark.parametrize("series", ["3.12", "3.10"])
def test_a_project_of_setup_py_develop_is_editable(tmp_path: Path, local: bool, series: str) -> None:
    """Its `.egg-link` names it, also where only local ones count, and before Python 3.11 only with a `.pth` file."""
    site = f"lib/python{series}/site-packages"
    project = tmp_path / "my project"
    build(project, {"My_Tool.egg-info/PKG-INFO": metadata("My_Tool")})
    link = {f"{site}/My-Tool.egg-link": f"{project}\n.\n"}
    detail = "a legacy editable install (setup.py develop)"

    found = listed(tmp_path, link, local=local, series=series)
    quoted = str(project).replace(" ", "%20")
    place = f"{site}/My-Tool.egg-link"
    expected = () if series == "3.10" else (installed("My_Tool", place, str(project), editable=quoted),)
    assert found.distributions == expected
    assert [(each.code, each.path, each.detail) for each in found.findings] == [(FindingCode.EGG_LINK, place, detail)]

    found = listed(tmp_path, {f"{site}/easy-install.pth": f"{project}\n"}, local=local, series=series)
    expected = (installed("My_Tool", f"{site}/easy-install.pth", str(project), editable=quoted),)
    if series == "3.12":
        expected = (installed("My_Tool", place, str(project), editable=quoted),)
    assert found.distributions == expected


def test_pkg_resources_resolves_the_links_of_an_editable_project(tmp_path: Path) -> None:
    build(tmp_path / "real", {"acme.egg-info/PKG-INFO": metadata("acme")})
    (tmp_path / "alias").symlink_to("real")
    for series, place in (("3.10", "real"), ("3.12", "alias")):
        site = f"lib/python{series}/site-packages"
        tree = {f"{site}/acme.egg-link": f"{tmp_path}/alias\n", f"{site}/easy-install.pth": f"{tmp_path}/alias\n"}
        [found] = listed(tmp_path / series, tree, series=series).distributions
        assert (found.location, found.origin.url) == (f"{tmp_path}/{place}", f"file://{tmp_path}/{place}")


def test_a_project_inside_the_environment_has_its_absolute_path(tmp_path: Path) -> None:
    tree = {
        "src/acme.egg-info/PKG-INFO": metadata("acme"),
        f"{SITE}/acme.egg-link": f"{tmp_path}/venv/src\n",
        f"{SITE}/easy-install.pth": f"{tmp_path}/venv/src\n",
    }
    [found] = listed(tmp_path, tree).distributions
    assert (found.location, found.origin.url) == (f"{tmp_path}/venv/src", f"file://{tmp_path}/venv/src")


def test_only_a_distribution_from_an_index_becomes_editable_by_an_egg_link(tmp_path: Path) -> None:
    url = '{"url": "https://files.example/acme.whl", "archive_info": {}}'
    tree = {**info("acme"), f"{SITE}/acme-1.0.dist-info/direct_url.json": url, f"{SITE}/acme.egg-link": "/none\n"}
    [found] = listed(tmp_path, tree).distributions
    assert (found.origin.kind, found.location) == (OriginKind.ARCHIVE, SITE)
    [found] = listed(tmp_path / "index", {**info("acme"), f"{SITE}/acme.egg-link": "/none\n"}).distributions
    place = f"{tmp_path}/index/venv/{SITE}"
    assert found == installed("acme", f"{SITE}/acme-1.0.dist-info", place, named="1.0", editable=place)


@pytest.mark.parametrize(
    ("series", "tree", "names"),
    [
        ("3.12", {"a.egg/EGG-INFO/PKG-INFO": metadata("acme")}, ["acme"]),
        ("3.10", {"a.egg/EGG-INFO/PKG-INFO": metadata("acme")}, ["acme"]),
        # pkg_resources reads only the metadata of the egg itself, importlib.metadata all.
        ("3.12", {"a.egg/EGG-INFO/PKG-INFO": metadata("acme"), **info("six", site="a.egg")}, ["acme", "six"]),
        ("3.10", {"a.egg/EGG-INFO/PKG-INFO": metadata("acme"), **info("six", site="a.egg")}, ["acme"]),
        ("3.10", {"a.egg/EGG-INFO/other": "", **info("six", site="a.egg")}, ["six"]),
        ("3.12", {"more/EGG-INFO/PKG-INFO": metadata("acme")}, []),
        ("3.10", {"more/EGG-INFO/PKG-INFO": metadata("acme")}, []),
        # A dist-info that is a file, and an empty one.
        ("3.10", {"acme-1.0.dist-info": metadata("acme")}, []),
        ("3.12", {"acme-1.0.dist-info": metadata("acme")}, ["acme"]),
        ("3.10", {"acme-1.0.dist-info": {"directory": True}}, []),
        ("3.12", {"acme-1.0.dist-info": {"directory": True}}, ["acme"]),
        ("3.10", {"acme-1.0.egg-info": metadata("acme")}, ["acme"]),
        ("3.10", {"ACME-1.0.EGG-INFO": metadata("acme")}, ["acme"]),
        ("3.10", {"ACME-1.0.DIST-INFO": metadata("acme")}, []),
    ],
)
def test_which_metadata_pip_reads_depends_on_the_python(
    tmp_path: Path, series: str, tree: dict[str, Any], names: list[str]
) -> None:
    site = f"lib/python{series}/site-packages"
    entries = {f"{site}/{name}": wanted for name, wanted in tree.items()}
    found = listed(tmp_path, {**entries, f"{site}/x.pth": "a.egg\nmore\n"}, series=series)
    assert [each.key for each in found.distributions] == names


def test_a_directory_of_the_import_path_that_cannot_be_listed_is_a_finding() -> None:
    with reachable_directory() as top:
        listed(top, {f"{SITE}/x.pth": f"{top}/outside\n{top}/venv/inside\n", **info("acme")})
        for directory in (top / "outside", top / "venv/inside"):
            directory.mkdir()
            directory.chmod(0o311)
        with unprivileged():
            venv = str(top / "venv")
            found = list_distributions(venv, find_site(venv, "3.12"), local=False, sealed=False)
    assert [each.key for each in found.distributions] == ["acme"]
    detail = "could not be read: Permission denied"
    assert found.findings == (
        Finding(code=FindingCode.UNREADABLE, path="inside", detail=detail),
        Finding(code=FindingCode.UNREADABLE, path=f"{SITE}/x.pth", detail=detail),
    )


def test_an_environment_without_a_library_has_no_distributions(tmp_path: Path) -> None:
    assert find_site(str(tmp_path), "").series == ""
    nothing = list_distributions(str(tmp_path), find_site(str(tmp_path), ""), local=False, sealed=False)
    assert nothing == Listing(distributions=(), findings=())


@pytest.mark.parametrize("sealed", [False, True])
def test_in_a_sealed_environment_no_record_is_read(tmp_path: Path, sealed: bool) -> None:
    tree = {**info("acme"), f"{SITE}/acme-1.0.dist-info/RECORD": "x\n"}
    codes = [each.code for each in listed(tmp_path, tree, sealed=sealed).findings]
    assert codes == ([] if sealed else [FindingCode.BAD_RECORD])
