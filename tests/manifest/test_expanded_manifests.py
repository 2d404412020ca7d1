"""Valid manifests and the desired state that they expand to: tests/cases/manifest/good."""

from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from reconciler.manifest.desired import DesiredState
from reconciler.manifest.expand import declared_state, expand
from reconciler.manifest.load import load_manifest
from tests.manifest.expanded import readable

GOOD = Path(__file__).parent.parent / "cases" / "manifest" / "good"
NAMES = sorted(path.name for path in GOOD.iterdir())


@pytest.mark.parametrize("name", NAMES)
def test_a_manifest_expands_to_its_desired_state(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(GOOD / name)
    state = expand(load_manifest(Path("envs.yaml")))
    assert readable(state) == yaml.safe_load((GOOD / name / "expanded.yaml").read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", NAMES)
def test_the_digest_does_not_depend_on_the_manifest_s_directory_or_the_working_directory(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = tmp_path / "elsewhere"
    _copy(GOOD / name, copy)
    monkeypatch.chdir(GOOD / name)
    here = expand(load_manifest(Path("envs.yaml")))
    there = expand(load_manifest(copy / "envs.yaml"))
    assert here.digest == there.digest
    assert there.file == copy / "envs.yaml"


@pytest.mark.parametrize("name", NAMES)
def test_what_is_declared_is_the_same_without_reading_the_files(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(GOOD / name)
    manifest = load_manifest(Path("envs.yaml"))
    expanded = expand(manifest)
    without = replace(expanded, digest="", environments=(), inputs=(), selected=True)
    assert declared_state(manifest) == without


def test_each_environment_has_the_places_of_its_name_and_of_its_python(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    text = (
        "access: group\n"
        'templates: {base: {python: "3.12"}}\n'
        "environments:\n"
        "  a: {extends: base}\n"
        '  b: {python: "3.11"}\n'
        '  c: {matrix: {python: ["3.11", "3.12"]}}\n'
    )
    found = _expanded(Path(), text).environments
    assert [(each.name, each.python, each.place, each.python_place) for each in found] == [
        ("a", "3.12", "envs.yaml:6:3", "envs.yaml:4:28"),
        ("b", "3.11", "envs.yaml:7:3", "envs.yaml:7:15"),
        ("c-py311", "3.11", "envs.yaml:8:3", "envs.yaml:8:25"),
        ("c-py312", "3.12", "envs.yaml:8:3", "envs.yaml:8:33"),
    ]
    assert {each.access for each in found} == {"group"}


def _copy(source: Path, target: Path) -> None:
    target.mkdir(parents=True)
    for path in source.iterdir():
        if path.is_dir():
            _copy(path, target / path.name)
        else:
            (target / path.name).write_bytes(path.read_bytes())


def _expanded(directory: Path, text: str, *names: str) -> DesiredState:
    file = directory / "envs.yaml"
    file.write_text("version: 1\nproject: acme\n" + text, encoding="utf-8")
    return expand(load_manifest(file), names=names)


def test_the_digest_changes_with_the_desired_state_only(tmp_path: Path) -> None:
    text = 'environments:\n  a: {python: "3.12", packages: [six]}\n  b: {python: "3.12"}\n'
    first = _expanded(tmp_path, text)
    assert _expanded(tmp_path, "\n# a comment\n" + text.replace("six", "Six")).digest == first.digest
    assert _expanded(tmp_path, text, "a").digest == first.digest
    index = 'indexes: [{name: m, url: "https://index.example/simple"}]\n'
    assert _expanded(tmp_path, index + text).digest != _expanded(tmp_path, index.replace("le/", "le/x") + text).digest
    assert _expanded(tmp_path, f"root: {tmp_path}/a\n{text}").digest == _expanded(tmp_path, f"root: /b\n{text}").digest
    others = (
        "cache: user\n",
        "locks: elsewhere\n",
        "root: elsewhere\n",
        "keep_deleted: 1 day\n",
        "access: all\n",
        index,
    )
    for other in others:
        assert _expanded(tmp_path, other + text).digest != first.digest
    assert _expanded(tmp_path, text.replace("six", "six>1")).digest != first.digest
    assert _expanded(tmp_path, text.replace("b:", "c:")).digest != first.digest


def test_the_digest_changes_with_the_metadata_of_the_project_and_not_with_other_settings(tmp_path: Path) -> None:
    pyproject = tmp_path / "pyproject.toml"
    text = 'environments:\n  a: {python: "3.12", project: {editable: true}}\n'
    head = '[project]\nname = "acme"\nversion = "1"\n'
    pyproject.write_text(head, encoding="utf-8")
    first = _expanded(tmp_path, text)
    pyproject.write_text(head + "[tool.ruff]\nline-length = 3\n", encoding="utf-8")
    assert _expanded(tmp_path, text).digest == first.digest
    pyproject.write_text(head + '[project.scripts]\nacme = "acme:main"\n', encoding="utf-8")
    assert _expanded(tmp_path, text).digest != first.digest
    pyproject.write_text(head + "[tool.hatch.build]\nday = 2026-11-01\n", encoding="utf-8")
    assert _expanded(tmp_path, text).digest != first.digest
    pyproject.write_text("[tool.ruff]\n", encoding="utf-8")
    unknown = _expanded(tmp_path, text)
    (tmp_path / "setup.py").write_text("# now it has one\n", encoding="utf-8")
    assert _expanded(tmp_path, text).digest != unknown.digest


def test_the_root_keeps_symbolic_links_and_project_paths_resolve_them(tmp_path: Path) -> None:
    (tmp_path / "real" / "lib").mkdir(parents=True)
    (tmp_path / "real" / "lib" / "setup.py").touch()
    (tmp_path / "real" / "requirements.txt").write_text("./lib\n", encoding="utf-8")
    (tmp_path / "link").symlink_to("real")
    text = 'environments:\n  a: {python: "3.12", requirements: [requirements.txt]}\n'
    state = _expanded(tmp_path / "link", text)
    assert state.root == tmp_path / "link" / ".envs"
    assert state.environments[0].requirements[0].path == tmp_path / "real" / "lib"
    again = replace(state, file=tmp_path / "real" / "envs.yaml")
    assert again.digest == _expanded(tmp_path / "real", text).digest


def test_requirements_files_are_read_in_the_encoding_of_their_byte_order_mark(tmp_path: Path) -> None:
    text = 'environments:\n  a: {python: "3.12", requirements: [requirements.txt]}\n'
    for encoding in ("utf-8", "utf-8-sig", "utf-16", "utf-32"):
        (tmp_path / "requirements.txt").write_text("# café\r\nsix\r\n", encoding=encoding, newline="")
        assert [line.text for line in _expanded(tmp_path, text).environments[0].requirements] == ["six"]


def test_files_that_include_each_other_often_are_read_once(tmp_path: Path) -> None:
    for number in range(25):
        (tmp_path / f"{number}.txt").write_text(f"-r {number + 1}.txt\n" * 10, encoding="utf-8")
    (tmp_path / "25.txt").write_text("six\n", encoding="utf-8")
    state = _expanded(tmp_path, 'environments:\n  a: {python: "3.12", requirements: [0.txt]}\n')
    assert [line.text for line in state.environments[0].requirements] == ["six"]
