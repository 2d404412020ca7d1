"""A file has the mode that git stores: of a regular file only whether its owner may execute it."""

import stat

import pytest

from reconciler.revision.tracked_files import _mode


@pytest.mark.parametrize(
    ("mode", "stored"),
    [
        (stat.S_IFREG | 0o600, 0o100644),
        (stat.S_IFREG | 0o664, 0o100644),
        (stat.S_IFREG | 0o611, 0o100644),
        (stat.S_IFREG | 0o700, 0o100755),
        (stat.S_IFREG | 0o4755, 0o100755),
        (stat.S_IFLNK | 0o777, 0o120000),
        (0o160000, 0o160000),
    ],
)
def test_the_mode_is_the_one_that_git_stores(mode: int, stored: int) -> None:
    assert _mode(mode) == stored
