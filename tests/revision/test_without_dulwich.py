"""Without dulwich, a revision cannot be read: the error says how to install it."""

import sys
from pathlib import Path

import pytest

from reconciler.errors import UsageError
from reconciler.revision.git_revision import open_revision


def test_the_hint_installs_dulwich(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "dulwich.objects", None)
    with pytest.raises(UsageError, match="requires dulwich, which reads git repositories") as caught:
        open_revision(tmp_path, "HEAD").__enter__()
    assert caught.value.hint
    assert "envsync-reconciler[git]" in caught.value.hint
