"""Untrusted text in every field of a manifest: as a value, a key or a member of a list, it is accepted or refused.

An error is printed without control characters, credentials or commands for a CI system, as text and as JSON. What is
accepted is escaped where it is printed: tests/render/test_untrusted_everywhere.py.
"""

import json
import shutil
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import yaml

from reconciler.errors import ManifestError
from reconciler.manifest.expand import expand
from reconciler.manifest.load import load_manifest
from reconciler.render.error_document import error_json
from reconciler.render.error_text import render_problems
from tests.every_case import EVERY_CASE
from tests.render.untrusted import NASTY, assert_clean_json, assert_clean_text

EVERY_KEY = Path(__file__).parent.parent / "cases/manifest/good/every-key"
MANIFEST: dict[str, Any] = yaml.safe_load((EVERY_KEY / "envs.yaml").read_text(encoding="utf-8"))
Place = tuple[str | int, ...]


def places(value: Any, place: Place = ()) -> Iterator[Place]:
    """Yield the place of every value in a manifest, of mappings and lists too."""
    yield place
    members = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, each in members:
        yield from places(each, (*place, key))


PLACES = [each for each in places(MANIFEST) if each]


def with_value(place: Place, text: str) -> dict[str, Any]:
    """Return the manifest with a text instead of the value at a place."""
    changed = deepcopy(MANIFEST)
    parent: Any = changed
    for key in place[:-1]:
        parent = parent[key]
    parent[place[-1]] = text
    return changed


def with_key(place: Place, text: str) -> dict[str, Any]:
    """Return the manifest with a text as a further key next to a place, or as a further member of its list."""
    changed = deepcopy(MANIFEST)
    parent: Any = changed
    for key in place[:-1]:
        parent = parent[key]
    if isinstance(parent, list):
        parent.append(text)
    else:
        parent[text] = deepcopy(parent[place[-1]])
    return changed


def chosen(number: int) -> list[str]:
    """Return the texts for the place with this number: each text is used at many places, and all at each in CI."""
    return (
        [*NASTY, "".join(NASTY)] if EVERY_CASE else [NASTY[number % len(NASTY)], NASTY[(number * 7 + 3) % len(NASTY)]]
    )


PARTS = 8 if EVERY_CASE else 1


@pytest.mark.parametrize("part", range(PARTS))
@pytest.mark.parametrize("change", [with_value, with_key], ids=["value", "key"])
def test_no_text_in_a_field_is_printed_raw(
    change: Any, part: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    directory = tmp_path / "manifest"
    shutil.copytree(EVERY_KEY, directory)
    monkeypatch.chdir(directory)
    refused: list[tuple[str, str]] = []
    mine = PLACES[part::PARTS]
    for number, place in enumerate(mine):
        for text in chosen(number):
            written = json.dumps(change(place, text), default=str)  # JSON is YAML, and has an escape for everything
            (directory / "envs.yaml").write_text(written, encoding="utf-8")
            try:
                expand(load_manifest(Path("envs.yaml")))
            except ManifestError as error:
                refused.append((render_problems(error), error_json(error, one_line=False)))
    for text, document in refused:
        assert_clean_text(text)
        assert_clean_json(document)
    assert len(refused) > len(mine) // 2
