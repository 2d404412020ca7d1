"""A symbolic link is made with any text, and an error names the link."""

from pathlib import Path

import pytest

from reconciler.fs.make_symlink import make_symlink


def test_the_text_is_kept_and_an_error_names_the_link(tmp_path: Path) -> None:
    make_symlink("../x/y", tmp_path / "link")
    assert str((tmp_path / "link").readlink()) == "../x/y"
    with pytest.raises(FileExistsError) as exists:
        make_symlink("z", tmp_path / "link")
    with pytest.raises(FileNotFoundError) as missing:
        make_symlink("z", tmp_path / "none/link")
    assert exists.value.filename == str(tmp_path / "link")
    assert missing.value.filename == str(tmp_path / "none/link")
