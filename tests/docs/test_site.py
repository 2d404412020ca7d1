"""The site: built from `docs` without a warning, and nothing in it comes from another host."""

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.docs.pages import DOCS, TOP
from tests.docs.site import loaded_from_elsewhere


@pytest.mark.skipif(find_spec("sphinx") is None, reason="the extra `docs` is not installed; .ci/run builds the site")
def test_the_site_is_built_without_a_warning(tmp_path: Path) -> None:
    command = ["-m", "sphinx", "-W", "--keep-going", "-n", "-q", "-b", "html", str(DOCS), str(tmp_path / "site")]
    done = subprocess.run([sys.executable, *command], cwd=TOP, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert loaded_from_elsewhere(tmp_path / "site") == []
    for page in DOCS.rglob("*.md"):
        assert (tmp_path / "site" / page.relative_to(DOCS)).with_suffix(".html").exists()


def test_what_a_page_loads_from_elsewhere_is_found(tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text(
        '<a href="https://one.example/"><img src="a.png"><script src="//two.example/x.js"></script>'
        '<link rel="stylesheet" href="https://three.example/x.css"><img src="data:image/png;base64,AA==">',
        encoding="utf-8",
    )
    (tmp_path / "style.css").write_text("@import 'https://four.example/x.css'; a { background: url(b.png) }", "utf-8")
    assert loaded_from_elsewhere(tmp_path) == [
        "page.html: //two.example/x.js",
        "page.html: https://three.example/x.css",
        "style.css: https://four.example/x.css",
    ]
