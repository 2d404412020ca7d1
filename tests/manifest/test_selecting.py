"""Which environments the names and labels on the command line select."""

from pathlib import Path

import pytest

from reconciler.errors import UsageError
from reconciler.manifest.expand import expand
from reconciler.manifest.load import load_manifest

MANIFEST = """
version: 1
project: acme
templates:
  base: {python: "3.12"}
environments:
  tools: {extends: base, labels: {team: platform}}
  test: {extends: base, matrix: {python: ["3.11", "3.12"]}, labels: {team: platform, kind: test}, depends_on: [tools]}
  web: {extends: base, labels: {team: site}, depends_on: [test-py311]}
  report: {extends: base, depends_on: [test]}
"""


def selected(directory: Path, *names: str, **labels: str) -> list[str]:
    file = directory / "envs.yaml"
    file.write_text(MANIFEST, encoding="utf-8")
    state = expand(load_manifest(file), names=names, labels=labels)
    assert state.declared == {"tools", "test-py311", "test-py312", "web", "report"}
    assert state.selected == bool(names or labels)
    return [each.name for each in state.environments]


@pytest.mark.parametrize(
    ("names", "labels", "expected"),
    [
        ((), {}, ["report", "test-py311", "test-py312", "tools", "web"]),
        (("tools",), {}, ["tools"]),
        (("web",), {}, ["test-py311", "tools", "web"]),
        (("test",), {}, ["test-py311", "test-py312", "tools"]),
        (("test-py312",), {}, ["test-py312", "tools"]),
        (("report",), {}, ["report", "test-py311", "test-py312", "tools"]),
        (("tools", "tools"), {}, ["tools"]),
        ((), {"team": "site"}, ["test-py311", "tools", "web"]),
        ((), {"team": "platform", "kind": "test"}, ["test-py311", "test-py312", "tools"]),
        (("test", "web"), {"team": "site"}, ["test-py311", "tools", "web"]),
    ],
)
def test_a_selection_includes_all_dependencies(
    tmp_path: Path, names: tuple[str, ...], labels: dict[str, str], expected: list[str]
) -> None:
    assert selected(tmp_path, *names, **labels) == expected


@pytest.mark.parametrize(
    ("names", "labels", "message", "hint"),
    [
        (("wbe",), {}, "no environment named `wbe`", "did you mean `web`?"),
        (("base",), {}, "no environment named `base`", None),
        (("test-py310",), {}, "no environment named `test-py310`", "did you mean `test-py312`?"),
        ((), {"team": "sight"}, "no environment has the label `team=sight`", "did you mean `team=site`?"),
        (
            (),
            {"team": "site", "kind": "test"},
            "no environment has the labels `kind=test` and `team=site`",
            "use fewer labels: an environment is selected only if it has all of them",
        ),
        (("tools",), {"kind": "test"}, "none of the named environments has the label `kind=test`", None),
    ],
)
def test_a_selection_that_matches_nothing_is_a_usage_error(
    tmp_path: Path, names: tuple[str, ...], labels: dict[str, str], message: str, hint: str | None
) -> None:
    with pytest.raises(UsageError) as caught:
        selected(tmp_path, *names, **labels)
    assert caught.value.message == message
    assert caught.value.exit_code == 3
    if hint:
        assert caught.value.hint == hint
