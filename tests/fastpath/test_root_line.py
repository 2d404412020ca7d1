"""The root is found by its line only, also in a manifest that is not valid YAML."""

from pathlib import Path

import pytest

from reconciler.fastpath.root_line import read_root

LINES = {
    "": ".envs",
    "root: there": "there",
    "root : there": "there",
    "root:there": ".envs",  # YAML needs a space after the colon
    "root: 'a b'  # why": "a b",
    'root: "a#b"': "a#b",
    "root: a#b": "a#b",
    "root: a # b": "a",
    "root: # nothing": ".envs",
    '"root": there': "there",
    "  root: inner": ".envs",
    "roots: there": ".envs",
    "environments: {}\nroot: ../up\n": "../up",
    "root: /srv/envs": "/srv/envs",
    ": broken\n\tyaml: [\nroot: there": "there",
}


@pytest.mark.parametrize("text", LINES)
def test_the_root_is_read_from_its_line(text: str, tmp_path: Path) -> None:
    file = tmp_path / "project" / "envs.yaml"
    file.parent.mkdir()
    file.write_text(text)
    assert Path(read_root(str(file))) == (file.parent / LINES[text]).resolve()


def test_bytes_that_are_not_utf_8_are_skipped(tmp_path: Path) -> None:
    file = tmp_path / "envs.yaml"
    file.write_bytes(b"\xff\xfe\nroot: there\n")
    assert read_root(str(file)) == str(tmp_path / "there")
