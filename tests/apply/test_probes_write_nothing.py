"""A probe that changes files of the generation fails it, except for findings that were accepted."""

import contextlib
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from reconciler.apply import observe_generation as module
from reconciler.apply.observe_generation import refuse_if_probes_wrote
from reconciler.errors import ProbeError
from reconciler.observe.actual import Finding, FindingCode
from reconciler.state.store import State

ADDED = Finding(code=FindingCode.FILE_ADDED, path="a.txt", detail="not part of the generation")
EDITED = Finding(code=FindingCode.FILE_CHANGED, path="b.txt", detail="edited")
WITHOUT_PATH = Finding(code=FindingCode.MISSING_RECORD, package="six")


@pytest.mark.parametrize(
    ("findings", "accepted", "listed"),
    [
        ([], (), ""),
        ([ADDED], (), "`a.txt`"),
        ([ADDED, EDITED], (), "`a.txt`, `b.txt`"),
        ([ADDED, EDITED], (ADDED,), "`b.txt`"),
        ([ADDED], (ADDED,), ""),
        ([WITHOUT_PATH], (), ""),
    ],
)
def test_what_a_probe_wrote_is_named(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    findings: list[Finding],
    accepted: tuple[Finding, ...],
    listed: str,
) -> None:
    monkeypatch.setattr(module, "observe_generation", lambda *_: SimpleNamespace(findings=findings))
    context: Any = SimpleNamespace(state=State.at(tmp_path), observing=contextlib.nullcontext())
    generation, target = cast("Any", None), cast("Any", None)
    keys = frozenset(each.key for each in accepted)
    if not listed:
        refuse_if_probes_wrote(generation, target, context, keys)
        return
    with pytest.raises(ProbeError) as caught:
        refuse_if_probes_wrote(generation, target, context, keys)
    assert caught.value.message == f"a probe changed the environment: {listed}"
    assert caught.value.hint == "let the probe write outside the environment, or list the files in `ignore_files`"
