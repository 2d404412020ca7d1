"""The source contains the text of each safeguard that `python -m tests.safeguards` removes."""

import subprocess

import pytest

from tests.repository_files import ROOT
from tests.safeguards import SAFEGUARDS, Safeguard, removed


@pytest.mark.parametrize("safeguard", SAFEGUARDS, ids=lambda each: each.name)
def test_a_safeguard_can_be_removed_and_has_tests(safeguard: Safeguard) -> None:
    source = (ROOT / safeguard.file).read_text(encoding="utf-8")
    without = removed(safeguard, source)
    if safeguard.file.endswith(".py"):
        compile(without, safeguard.file, "exec")
    else:
        subprocess.run(["bash", "-n"], input=without, text=True, check=True)
    assert safeguard.tests
    assert [each for each in safeguard.tests if not (ROOT / each.partition("::")[0]).is_file()] == []
