"""Invalid manifests, each with the full text that a user sees: tests/cases/manifest/bad and bad_files."""

import re
from pathlib import Path

import pytest

from reconciler.errors import ManifestError
from reconciler.manifest.expand import expand
from reconciler.manifest.load import load_manifest
from reconciler.render.error_text import render_problems

CASES = Path(__file__).parent.parent / "cases" / "manifest"
BAD = sorted(path.stem for path in (CASES / "bad").glob("*.yaml"))
BAD_FILES = sorted(path.name for path in (CASES / "bad_files").iterdir())


@pytest.mark.parametrize("name", BAD)
def test_every_error_of_an_invalid_manifest_is_reported_at_its_place(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(CASES / "bad")
    with pytest.raises(ManifestError) as caught:
        load_manifest(Path(f"{name}.yaml"))
    text = render_problems(caught.value)
    assert text == (CASES / "bad" / f"{name}.expected").read_text(encoding="utf-8")
    check_rules_for_all_errors(text, caught.value)


@pytest.mark.parametrize("name", BAD_FILES)
def test_every_error_of_the_files_that_a_manifest_names_is_reported_at_its_place(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(CASES / "bad_files" / name)
    manifest = load_manifest(Path("envs.yaml"))
    with pytest.raises(ManifestError) as caught:
        expand(manifest)
    text = render_problems(caught.value)
    assert text == (CASES / "bad_files" / name / "expected.txt").read_text(encoding="utf-8")
    check_rules_for_all_errors(text, caught.value)


def check_rules_for_all_errors(text: str, error: ManifestError) -> None:
    assert error.exit_code == 3
    assert "hunter2" not in text + str(error) + str(error.hint)
    assert re.search(r"[^\n\x20-\x7e\xa0-\U0010ffff]", text) is None
    assert str(Path.cwd()) not in text
    assert text.count("error: ") >= len(error.problems)
    assert len(set(error.problems)) == len(error.problems)


def test_every_case_has_an_expected_text() -> None:
    assert len(BAD) >= 25
    assert sorted(path.stem for path in (CASES / "bad").glob("*.expected")) == BAD
