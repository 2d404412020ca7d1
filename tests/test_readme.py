"""The README: its manifest and its Python code work, and its links work in the repository and on a package index."""

import re
import subprocess
import sys
import tomllib
import zipfile
from email import message_from_bytes
from email.policy import EmailPolicy
from html.parser import HTMLParser
from pathlib import Path

import cmarkgfm  # type: ignore[import-untyped]  # it has no stubs
import pytest
from uv import find_uv_bin

import reconciler
from tests.host import Host, base_environment, new_host

TOP = Path(__file__).parent.parent
README = TOP / "README.md"
PROJECT = tomllib.loads((TOP / "pyproject.toml").read_text(encoding="utf-8"))["project"]


class Targets(HTMLParser):
    """Collects where the links and pictures of an HTML page point to."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002  # its interface
        self.found += [value or "" for name, value in attrs if name in {"href", "src"}]


def targets(markdown: str) -> list[str]:
    """Return the targets of links and pictures, as GitHub's own parser (and PyPI's) reads them."""
    parser = Targets()
    parser.feed(cmarkgfm.github_flavored_markdown_to_html(markdown))
    return parser.found


def block(language: str) -> str:
    """Return the README's one code block in a language."""
    [text] = re.findall(rf"```{language}\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    assert isinstance(text, str)
    return text


@pytest.fixture(scope="module")
def metadata(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The description in the metadata of the wheel: what a package index shows."""
    place = tmp_path_factory.mktemp("wheel")
    build = [find_uv_bin(), "build", "--wheel", "--no-build-isolation", "--offline", "--out-dir", str(place), str(TOP)]
    environment = {**base_environment(), "VIRTUAL_ENV": sys.prefix}
    done = subprocess.run(build, env=environment, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    [wheel] = place.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        [name] = [each for each in archive.namelist() if each.endswith(".dist-info/METADATA")]
        message = message_from_bytes(archive.read(name), policy=EmailPolicy(utf8=True))
    assert message["Description-Content-Type"] == "text/markdown"
    description = message.get_payload(decode=True)
    assert isinstance(description, bytes)
    return description.decode("utf-8")


def test_the_manifest_is_valid(tmp_path: Path) -> None:
    (tmp_path / "envs.yaml").write_text(block("yaml"), encoding="utf-8")
    names = [each.name for each in reconciler.load(tmp_path / "envs.yaml").desired().environments]
    assert names == ["test-py311", "test-py312", "test-py313", "web"]


def test_the_python_code_runs(tmp_path: Path) -> None:
    with new_host(tmp_path) as host:
        host.manifest('web:\n  python: ">=3.11"\n  packages: [alpha==1.0]\n')
        assert run_python(host, block("python")).startswith("web create ['new")
        assert host.freeze("web") == ["alpha==1.0", "beta==2.0"]
        assert run_python(host, block("python")) == ""


def run_python(host: Host, code: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=host.directory,
        env=base_environment(),
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_commands_that_ci_runs_are_marked() -> None:
    text = README.read_text(encoding="utf-8")
    assert re.findall(r"<!-- (\w+) -->\n```sh\n", text) == ["apply", "test"]


def test_the_repository_keeps_relative_links() -> None:
    outside = [each for each in targets(README.read_text(encoding="utf-8")) if not (TOP / each).exists()]
    assert outside == []


def test_a_package_index_gets_absolute_links_to_files_that_exist(metadata: str) -> None:
    found = targets(metadata)
    assert len(found) == len(targets(README.read_text(encoding="utf-8"))) > 10
    version = f"v{PROJECT['version']}"
    for each in found:
        path = re.fullmatch(rf"{re.escape(PROJECT['urls']['Repository'])}/(?:blob|raw)/{version}/(.+)", each)
        assert path is not None, each
        assert (TOP / path[1]).exists(), each
    pictures = re.findall(r"!\[[^\]]*\]\(([^)]+)\)", metadata)
    assert pictures
    assert all("/raw/" in each for each in pictures)


def test_the_description_is_otherwise_the_readme(metadata: str) -> None:
    relative = re.sub(rf"{re.escape(PROJECT['urls']['Repository'])}/(blob|raw)/v[^/]+/", "", metadata)
    assert relative == README.read_text(encoding="utf-8")
