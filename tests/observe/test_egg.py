"""Zipped eggs and `.egg-link` files, also damaged ones."""

import hashlib
import zipfile
from pathlib import Path

import pytest

from reconciler.observe.actual import Distribution, Finding, FindingCode
from reconciler.observe.egg import egg_link_names, read_egg_link, read_zipped_egg
from reconciler.observe.site import SiteDirectory


def egg(directory: Path, metadata: str | None = "Name: Acme_Tool\nVersion: 1.0\n", name: str = "acme.egg") -> Path:
    with zipfile.ZipFile(directory / name, "w") as archive:
        archive.writestr("acme.py", "")
        if metadata is not None:
            archive.writestr("EGG-INFO/PKG-INFO", metadata)
    return directory / name


def site(path: Path, relative: str = "lib/acme.egg") -> SiteDirectory:
    return SiteDirectory(path=str(path), relative=relative, named_by="lib/easy-install.pth")


@pytest.mark.parametrize("name", ["acme.egg", "ACME.EGG"])
def test_a_zipped_egg_is_a_distribution(tmp_path: Path, name: str) -> None:
    path = egg(tmp_path, name=name)
    inside = Distribution(
        key="acme-tool", name="Acme_Tool", version="1.0", place="lib/acme.egg", location="lib/acme.egg"
    )
    assert read_zipped_egg(site(path)) == inside
    outside = read_zipped_egg(site(path, ""))
    assert isinstance(outside, Distribution)
    assert (outside.place, outside.location) == ("lib/easy-install.pth", str(path))


def test_any_other_file_is_not_an_egg(tmp_path: Path) -> None:
    assert read_zipped_egg(site(egg(tmp_path, name="acme.zip"))) is None


@pytest.mark.parametrize(
    ("metadata", "code", "detail"),
    [
        (None, FindingCode.MISSING_METADATA, "a zipped egg without PKG-INFO"),
        ("Name: acme\n", FindingCode.INVALID_METADATA, "a zipped egg without name or version"),
        ("Version: 1.0\n", FindingCode.INVALID_METADATA, "a zipped egg without name or version"),
    ],
)
def test_an_egg_with_incomplete_metadata_is_a_finding(
    tmp_path: Path, metadata: str | None, code: FindingCode, detail: str
) -> None:
    assert read_zipped_egg(site(egg(tmp_path, metadata))) == Finding(code=code, path="lib/acme.egg", detail=detail)


@pytest.mark.parametrize("damage", ["empty", "missing", "encrypted"])
def test_an_egg_that_cannot_be_read_is_a_finding(tmp_path: Path, damage: str) -> None:
    path = egg(tmp_path)
    if damage == "empty":
        path.write_bytes(b"")
    elif damage == "missing":
        path.unlink()
    else:
        content = bytearray(path.read_bytes())
        for mark, at in ((b"PK\x01\x02", 8), (b"PK\x03\x04", 6)):
            start = content.find(mark)
            while start >= 0:
                content[start + at] |= 1
                start = content.find(mark, start + 1)
        path.write_bytes(content)
    found = read_zipped_egg(site(path))
    assert isinstance(found, Finding)
    assert (found.code, found.path) == (FindingCode.UNREADABLE, "lib/acme.egg")
    assert found.detail.startswith("a zipped egg that could not be read: ")


@pytest.mark.parametrize(
    ("content", "target", "detail"),
    [
        ("\n{top}/project\n.\n", "{top}/project", ""),
        ("  ../project  \n", "{top}/project", ""),
        ("none\n", "{top}/site/none", "; its project `{top}/site/none` is missing"),
        ("\n\0\n", "", "; it names no project"),
        ("", "", "; it names no project"),
    ],
)
def test_an_egg_link_names_its_first_line(tmp_path: Path, content: str, target: str, detail: str) -> None:
    for name in ("site", "project"):
        (tmp_path / name).mkdir()
    text = content.replace("{top}", str(tmp_path))
    (tmp_path / "site/My.acme.egg-link").write_text(text)
    for relative, place in (("site", "site/My.acme.egg-link"), ("", "lib/easy-install.pth")):
        link, finding = read_egg_link(str(tmp_path), site(tmp_path / "site", relative), "My.acme.egg-link")
        assert (link.key, link.place, link.target) == ("my-acme", place, target.replace("{top}", str(tmp_path)))
        assert finding == Finding(
            code=FindingCode.EGG_LINK,
            path=place,
            package="my-acme",
            detail="a legacy editable install (setup.py develop)" + detail.replace("{top}", str(tmp_path)),
            content=hashlib.sha256(text.encode()).hexdigest(),
        )


def test_an_egg_link_out_of_the_environment_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "site").mkdir()
    (tmp_path / "secret").write_text("/project\n")
    (tmp_path / "site/acme.egg-link").symlink_to("../secret")
    link, finding = read_egg_link(str(tmp_path / "site"), site(tmp_path / "site", "site"), "acme.egg-link")
    assert (link.target, finding.content) == ("", "")
    assert "could not be read: a symbolic link to a file outside the environment" in finding.detail


def test_the_names_of_egg_links() -> None:
    assert egg_link_names("a_b!c") == ("a-b-c.egg-link", "a_b!c.egg-link")
