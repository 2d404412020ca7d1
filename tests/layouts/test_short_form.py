"""Some layouts and edits of `python -m tests.layouts`: apply gives what `uv pip install` gives, before and after."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.every_case import usually
from tests.index import ServedIndex
from tests.layouts.__main__ import served_backends
from tests.layouts.build_backends import python_of_the_layouts
from tests.layouts.catalog import LAYOUTS
from tests.layouts.table import faults
from tests.layouts.trial import Trial, Verdict

# Version control, a project next to it, generated files, files that a hook writes, a file that no wheel contains.
SHORT: dict[str, dict[str, tuple[Verdict, Verdict]]] = {
    "hatch-vcs": {"commit": (Verdict.REPAIRED, Verdict.REPAIRED)},
    "poetry-path-dependency": {"neighbor": (Verdict.REPAIRED, Verdict.REPAIRED)},
    "setuptools-generated": {"ignored": (Verdict.SAME, Verdict.REPAIRED)},
    "hatchling-hooks": {"data": (Verdict.REPAIRED, Verdict.REPAIRED)},
    "flit-module": {"unpackaged": (Verdict.SAME, Verdict.SAME)},
}


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedIndex]:
    with served_backends(tmp_path_factory.mktemp("index"), python_of_the_layouts()) as served:
        yield served


@pytest.mark.parametrize("name", usually(("setuptools-generated",), tuple(SHORT)))
def test_apply_gives_what_uv_gives_and_check_is_green_exactly_then(
    name: str, tmp_path: Path, index: ServedIndex
) -> None:
    trial = Trial(layout=LAYOUTS[name], directory=tmp_path, index=index, python=python_of_the_layouts())
    results = list(trial.run(tuple(SHORT[name])))
    assert faults(results) == ""
    found = {(each.edit, each.environment): each.verdict for each in results}
    assert found == {
        (edit, environment): verdict
        for edit, verdicts in {"start": (Verdict.SAME, Verdict.SAME), **SHORT[name]}.items()
        for environment, verdict in zip(("dev", "prod"), verdicts, strict=True)
    }
