"""A file is compared without the path of its generation only if it is as it was sealed."""

import hashlib
from pathlib import Path

import pytest

from reconciler.observe.generation_contents import _sealed_text
from reconciler.state.layout import Generation, Layout


@pytest.fixture
def generation(tmp_path: Path) -> Generation:
    made = Layout(tmp_path).generation("web", 1)
    (made.venv / "bin").mkdir(parents=True)
    (made.venv / "bin/tool").write_text(f"#!{made.venv}/bin/python\nprint('{made.venv}')\n")
    return made


def content(generation: Generation) -> bytes:
    return hashlib.sha256((generation.venv / "bin/tool").read_bytes()).digest() + b"x"


def test_the_path_of_its_generation_is_left_out(generation: Generation) -> None:
    assert _sealed_text(generation, "bin/tool", content(generation)) == b"#!/bin/python\nprint('')\n"


def test_a_file_that_changed_since_or_cannot_be_read_has_no_text(generation: Generation) -> None:
    sealed = content(generation)
    (generation.venv / "bin/tool").write_text("edited")
    assert _sealed_text(generation, "bin/tool", sealed) is None
    assert _sealed_text(generation, "bin/tool", content(generation)) == b"edited"
    assert _sealed_text(generation, "bin/missing", sealed) is None
