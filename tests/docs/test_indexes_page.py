"""Every manifest on `docs/indexes.md` is valid."""

import re
from pathlib import Path

import pytest

from reconciler.manifest.expand import expand
from reconciler.manifest.load import load_manifest
from tests.docs.pages import DOCS

EXAMPLES = re.findall(r"```yaml\n(.*?)```", (DOCS / "indexes.md").read_text(encoding="utf-8"), re.DOTALL)


@pytest.mark.parametrize("text", EXAMPLES, ids=range(len(EXAMPLES)))
def test_an_example_is_valid(text: str, tmp_path: Path) -> None:
    (tmp_path / "envs.yaml").write_text(text, encoding="utf-8")
    assert expand(load_manifest(tmp_path / "envs.yaml")).environments
