"""A directory as an index: which files get a page, what is on it, and for which packages."""

from pathlib import Path

import pytest

from reconciler.engines.index_directories import has_files, write_pages
from reconciler.errors import IndexUnreachableError


def pages(target: Path) -> dict[str, str]:
    return {each.parent.name: each.read_text() for each in target.glob("*/index.html")}


def test_files_of_a_package_are_linked_from_its_page(tmp_path: Path) -> None:
    directory = tmp_path / "a&b"
    directory.mkdir()
    for name in ("My_App-1.0-py3-none-any.whl", "my-app-1.0.tar.gz", "my.app-2.0.zip", "other-1.0.tar.gz", "notes.txt"):
        (directory / name).touch()
    write_pages(directory, tmp_path / "pages", serves=lambda name: name == "my-app")
    base = directory.as_uri().replace("&", "&amp;")
    assert pages(tmp_path / "pages") == {
        "my-app": "".join(
            f'<a href="{base}/{name}">{name}</a><br>\n'
            for name in ("My_App-1.0-py3-none-any.whl", "my-app-1.0.tar.gz", "my.app-2.0.zip")
        )
    }


def test_a_page_of_the_directory_itself_comes_first_with_its_place(tmp_path: Path) -> None:
    directory = tmp_path / "index"
    for name in ("six", "other", "empty"):
        (directory / name).mkdir(parents=True)
    for name in ("six", "other"):
        (directory / name / "index.html").write_text('<a href="six-1.0.tar.gz">six</a>')
    (directory / "six-2.0.tar.gz").touch()
    write_pages(directory, tmp_path / "pages", serves=lambda name: name != "other")
    assert pages(tmp_path / "pages") == {
        "six": (
            f'<base href="{(directory / "six").as_uri()}/">\n<a href="six-1.0.tar.gz">six</a>'
            f'<a href="{(directory / "six-2.0.tar.gz").as_uri()}">six-2.0.tar.gz</a><br>\n'
        )
    }


def test_a_directory_without_a_served_package_has_no_page(tmp_path: Path) -> None:
    (tmp_path / "index").mkdir()
    (tmp_path / "index/six-2.0.tar.gz").touch()
    write_pages(tmp_path / "index", tmp_path / "deep/pages", serves=lambda _: False)
    assert list((tmp_path / "deep/pages").iterdir()) == []


@pytest.mark.parametrize(
    ("names", "found"),
    [((), False), (("six.txt",), False), (("x", "six.whl"), True), (("a.tar.gz",), True), (("a.zip",), True)],
)
def test_a_directory_has_files_if_one_could_be_installed(names: tuple[str, ...], found: bool, tmp_path: Path) -> None:
    for name in names:
        (tmp_path / name).touch()
    assert has_files(tmp_path) is found


def test_a_missing_directory_is_an_error_with_its_path(tmp_path: Path) -> None:
    with pytest.raises(IndexUnreachableError) as caught:
        has_files(tmp_path / "gone")
    assert (
        caught.value.message
        == f"the directory `{tmp_path / 'gone'}` of an index cannot be listed: No such file or directory"
    )
    assert caught.value.hint == "create the directory, or correct the `url` of the index"
