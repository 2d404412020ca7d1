"""A finding belongs to the package whose RECORD lists the file, or that is alone in its directory."""

from pathlib import Path

import pytest

from reconciler.observe.actual import Distribution, Finding, FindingCode
from reconciler.observe.attribution import attribute_findings

SITE = "lib/python3.12/site-packages"


def distribution(key: str, suffix: str = "dist-info") -> Distribution:
    return Distribution(key=key, name=key, version="1.0", place=f"{SITE}/{key}-1.0.{suffix}")


@pytest.fixture
def venv(tmp_path: Path) -> str:
    for key, rows in {
        "one": ["one.py", "shared.py", "ns/one/a.py", "../../../bin/one", "many/one.py"],
        "two": ["two.py", "shared.py", "ns/two/deep/b.py", "many/two.py"],
        "zed": ["shared.py"],
    }.items():
        info = tmp_path / SITE / f"{key}-1.0.dist-info"
        info.mkdir(parents=True)
        (info / "RECORD").write_text("".join(f"{row},,\n" for row in rows))
    egg = tmp_path / SITE / "egg-1.0.egg-info"
    egg.mkdir()
    (egg / "installed-files.txt").write_text("../egg.py\nPKG-INFO\n")
    return str(tmp_path)


INSTALLED = [distribution("one"), distribution("two"), distribution("zed"), distribution("egg", "egg-info")]


@pytest.mark.parametrize(
    ("path", "package"),
    [
        (f"{SITE}/one.py", "one"),
        ("bin/one", "one"),
        ("bin/new", "one"),
        (f"{SITE}/__pycache__/two.cpython-312.pyc", "two"),
        (f"{SITE}/ns/one/new.py", "one"),
        (f"{SITE}/ns/two/new.py", "two"),
        (f"{SITE}/ns/two/deep/new/c.py", "two"),
        (f"{SITE}/ns/new.py", ""),
        (f"{SITE}/many/new.py", ""),
        (f"{SITE}/new.py", ""),
        (f"{SITE}/new/x.py", ""),
        (f"{SITE}/egg.py", "egg"),
        (f"{SITE}/egg-1.0.egg-info/PKG-INFO", "egg"),
        (f"{SITE}/two-1.0.dist-info/new", "two"),
        ("", ""),
    ],
)
def test_the_package_of_a_path(venv: str, path: str, package: str) -> None:
    [found] = attribute_findings([Finding(code=FindingCode.FILE_ADDED, path=path)], venv, INSTALLED, sealed=())
    assert (found.package, found.detail) == (package, "")


def test_a_package_that_is_known_stays(venv: str) -> None:
    finding = Finding(code=FindingCode.FILE_ADDED, path=f"{SITE}/one.py", package="other")
    assert attribute_findings([finding], venv, INSTALLED, sealed=()) == [finding]


@pytest.mark.parametrize(
    ("sealed", "package"), [((), "one"), (("two", "zed"), "two"), (("zed",), "zed"), (("one", "two"), "one")]
)
def test_a_file_of_several_packages_belongs_to_the_first_that_was_sealed(
    venv: str, sealed: tuple[str, ...], package: str
) -> None:
    directories = [f"{SITE}/{key}-1.0.dist-info" for key in sealed]
    for detail, expected in (
        ("", "`one`, `two`, `zed` contain it"),
        ("changed", "changed; `one`, `two`, `zed` contain it"),
    ):
        finding = Finding(code=FindingCode.FILE_CHANGED, path=f"{SITE}/shared.py", detail=detail)
        [found] = attribute_findings([finding], venv, INSTALLED, directories)
        assert (found.package, found.detail) == (package, expected)


def test_a_record_out_of_the_environment_is_not_read(venv: str, tmp_path: Path) -> None:
    record = Path(venv, SITE, "one-1.0.dist-info", "RECORD")
    record.unlink()
    record.symlink_to("/etc/passwd")
    finding = Finding(code=FindingCode.FILE_ADDED, path=f"{SITE}/one.py")
    assert attribute_findings([finding], venv, [distribution("one")], sealed=()) == [finding]
