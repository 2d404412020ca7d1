"""The question before an apply: only about changes that can be applied, and only `yes` is a yes."""

import io
import sys
from pathlib import Path

import pytest

import reconciler
from reconciler.cli.apply import _ask
from reconciler.errors import InterruptedByUserError
from reconciler.options import PlanOptions
from tests.host import base_environment

SERIES = f"{sys.version_info.major}.{sys.version_info.minor}"


@pytest.mark.parametrize(
    ("python", "answer", "asks", "applies"),
    [
        ("3.99", "no\n", False, True),  # blocked: the apply says so
        (SERIES, "yes\n", True, True),
        (SERIES, "Y\n", True, True),
        (SERIES, "no\n", True, False),
        (SERIES, "yes please\n", True, False),
        (SERIES, "", True, False),
    ],
)
def test_nothing_is_applied_without_a_yes(
    python: str,
    answer: str,
    asks: bool,
    applies: bool,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    file = tmp_path / "envs.yaml"
    file.write_text(f'version: 1\nproject: acme\nroot: envs\nenvironments: {{web: {{python: "{python}"}}}}\n')
    proposal = reconciler.load(file, ambient=base_environment()).plan(options=PlanOptions(build=True, offline=True))
    monkeypatch.setattr(sys, "stdin", io.StringIO(answer))
    if applies:
        _ask(proposal)
    else:
        with pytest.raises(InterruptedByUserError, match="nothing was changed"):
            _ask(proposal)
    assert ("Apply these changes?" in capsys.readouterr().err) is asks
