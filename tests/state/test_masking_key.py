"""The key with which plans compare hidden values is made once, and only a whole one is used."""

from pathlib import Path

import pytest

from reconciler.state.layout import Layout
from reconciler.state.masking_key import make_masking_key, read_masking_key
from tests.state.edited import make_root


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    return make_root(tmp_path / "root")


def test_a_key_is_made_once(layout: Layout) -> None:
    assert read_masking_key(layout) == b""
    make_masking_key(layout)
    key = read_masking_key(layout)
    assert len(key) == 32
    assert layout.masking_key.read_text() == f"{key.hex()}\n"
    make_masking_key(layout)
    assert read_masking_key(layout) == key


@pytest.mark.parametrize("content", [b"", b"00" * 31, b"00" * 33, b"xx" * 32, b"\xff" * 64, b"00" * 32 + b" " * 1024])
def test_a_key_that_is_not_whole_is_replaced(content: bytes, layout: Layout) -> None:
    layout.masking_key.write_bytes(content)
    assert read_masking_key(layout) == b""
    make_masking_key(layout)
    assert len(read_masking_key(layout)) == 32


def test_without_a_directory_of_envsync_there_is_none(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    make_masking_key(layout)
    assert read_masking_key(layout) == b""
