"""Parts of the Markdown output: backticks that GitHub would misread, and the text below the table."""

from dataclasses import replace

import pytest

from reconciler.events import Failure, RunFinished
from reconciler.render.formats import Format
from reconciler.render.markdown.escape import code, code_block
from tests.plan.build import world
from tests.render.output import printed
from tests.render.reports import report_of

PLAN = world({"manifest": {"web": {"packages": {"six": "1.0"}}}}).plan()


@pytest.mark.parametrize(("count", "kept"), [(1, True), (60, True), (61, False), (100, False)])
def test_a_long_run_of_backticks_is_replaced(count: int, kept: bool) -> None:
    text = f"a{'`' * count}b"
    for shown in (code(text), "\n".join(code_block([text]))):
        assert (text in shown) is kept
        assert ("\\x60" * count in shown) is not kept


@pytest.mark.parametrize("failed", [True, False])
def test_a_failed_collection_is_reported_below_the_environments(failed: bool) -> None:
    failure = Failure(code="os-error", message="venv: Permission denied", hint="run it as its owner")
    result = RunFinished(environments=(), failure=failure if failed else None)
    report = replace(report_of(PLAN, command="apply", result=result))
    text = printed(report, Format.MARKDOWN)
    assert ("Garbage collection after the apply:" in text) is failed
    assert ("venv: Permission denied" in text) is failed
