"""The README says what is: its `--help` blocks are printed anew and compared, its manifest is loaded."""

import re
import subprocess
import sys
from pathlib import Path

import reconciler
from tests.host import base_environment

README = Path(__file__).parent.parent / "README.md"
BLOCK = re.compile(r"<!-- help(?P<command>[^>]*?) -->\n```text\n(?P<text>.*?)```\n", re.DOTALL)


def help_of(command: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "reconciler", *command.split(), "--help"],
        capture_output=True,
        text=True,
        check=True,
        env={**base_environment(), "COLUMNS": "100", "TERM": "dumb"},
    )
    return "\n".join(line.rstrip() for line in done.stdout.strip("\n").splitlines()) + "\n"


def written_anew(text: str) -> str:
    return BLOCK.sub(lambda match: f"<!-- help{match['command']} -->\n```text\n{help_of(match['command'])}```\n", text)


def test_the_help_blocks_are_what_help_prints() -> None:
    text = README.read_text(encoding="utf-8")
    assert len(BLOCK.findall(text)) == 4
    assert written_anew(text) == text, "run `python -m tests.test_readme`"


def test_the_manifest_in_the_tour_is_valid(tmp_path: Path) -> None:
    manifest = re.search(r"```yaml\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    assert manifest is not None
    (tmp_path / "envs.yaml").write_text(manifest[1], encoding="utf-8")
    names = [each.name for each in reconciler.load(tmp_path / "envs.yaml").desired().environments]
    assert names == ["test-py311", "test-py312", "test-py313", "web"]


def test_no_page_tells_to_install_the_name_that_is_not_ours() -> None:
    for page in [README, *README.parent.glob("docs/*.md"), README.parent / "CONTRIBUTING.md"]:
        assert not re.search(r"(pip install|uvx|pipx (install|run)) +['\"]?envsync\b(?!-)", page.read_text("utf-8")), (
            page
        )


if __name__ == "__main__":
    README.write_text(written_anew(README.read_text(encoding="utf-8")), encoding="utf-8")
