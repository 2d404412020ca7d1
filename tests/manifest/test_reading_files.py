"""Manifests that cannot be read, and manifests that try to do harm."""

import os
import pwd
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from reconciler.errors import ManifestError
from reconciler.manifest.expand import expand
from reconciler.manifest.load import load_manifest
from reconciler.render.error_text import render_problems

HEAD = "version: 1\nproject: acme\n"


def error_text(file: Path) -> str:
    with pytest.raises(ManifestError) as caught:
        load_manifest(file)
    assert caught.value.exit_code == 3
    return render_problems(caught.value)


def written(directory: Path, text: str) -> Path:
    file = directory / "envs.yaml"
    file.write_text(text, encoding="utf-8")
    return file


def test_the_error_for_a_missing_manifest_says_how_to_name_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    expected = "error: envs.yaml: no such file\nhint: name the manifest with `-f FILE`\n"
    assert error_text(Path("envs.yaml")) == expected


def test_a_directory_is_not_a_manifest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("envs").mkdir()
    assert error_text(Path("envs")) == "error: envs: a directory, not a file\nhint: name the manifest with `-f FILE`\n"


def test_a_named_pipe_is_an_error_without_waiting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    os.mkfifo("envs.yaml")
    assert error_text(Path("envs.yaml")) == "error: envs.yaml: not a regular file\n"


def test_a_symbolic_link_to_itself_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("envs.yaml").symlink_to("envs.yaml")
    assert error_text(Path("envs.yaml")) == "error: envs.yaml: too many symbolic links\n"


def test_a_name_with_a_nul_character_is_a_missing_file(tmp_path: Path) -> None:
    assert "no such file" in error_text(tmp_path / "a\0b")


@contextmanager
def without_privileges() -> Iterator[None]:
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


def test_a_manifest_without_permission_is_an_error(tmp_path: Path) -> None:
    file = written(tmp_path, HEAD)
    file.chmod(0)
    with without_privileges():
        text = error_text(file)
    assert text == (
        f"error: {file}: permission denied\n"
        "hint: run envsync as the owner of the file or directory, or change its permissions\n"
    )


def test_a_manifest_of_more_than_a_mebibyte_is_an_error(tmp_path: Path) -> None:
    padding = "#" * (1024 * 1024 - len(HEAD) - 1) + "\n"
    assert load_manifest(written(tmp_path, HEAD + padding)).project == "acme"
    assert "larger than 1 MiB" in error_text(written(tmp_path, HEAD + "#" + padding))


def test_a_manifest_that_an_editor_saved_with_a_byte_order_mark_and_crlf_is_read(tmp_path: Path) -> None:
    file = tmp_path / "envs.yaml"
    file.write_bytes(b"\xef\xbb\xbf" + (HEAD + "environments: {}\nrot: x\n").replace("\n", "\r\n").encode())
    assert f"{file}:4:1: rot: unknown key" in error_text(file)


def test_a_bomb_of_aliases_is_an_error_at_once(tmp_path: Path) -> None:
    levels = [f"a{level}: &a{level} [{', '.join([f'*a{level - 1}'] * 9)}]" for level in range(1, 10)]
    bomb = 'a0: &a0 ["lol"]\n' + "\n".join(levels) + "\n"
    started = time.monotonic()
    text = error_text(written(tmp_path, bomb))
    assert time.monotonic() - started < 10
    assert text.count("anchors are not supported") == 10
    assert text.count("aliases are not supported") == 9


@pytest.mark.parametrize("opening", ["[", "{a: ", "- ", "? "])
def test_nesting_of_100_000_levels_is_an_error(tmp_path: Path, opening: str) -> None:
    assert "nested deeper than 32 levels" in error_text(written(tmp_path, opening * 100_000))


def test_blocks_nested_too_deeply_are_errors(tmp_path: Path) -> None:
    text = "".join(" " * at + "a:\n" for at in range(1000))
    assert "nested deeper than 32 levels" in error_text(written(tmp_path, text))


def test_of_thousands_of_errors_the_first_hundred_are_shown_and_the_others_counted_to_500(tmp_path: Path) -> None:
    file = written(tmp_path, HEAD + "".join(f"key{number}: 1\n" for number in range(5000)))
    shown = error_text(file)
    assert shown.count("unknown key") == 100
    assert shown.endswith("\nerror: more than 400 more problems\n")


def test_terminal_escapes_in_keys_and_values_never_reach_the_terminal(tmp_path: Path) -> None:
    keys = '      "a\\e]0;x\\a": 1\n      \u202ebidi: 1\n      "zero\u200bwidth": 1\n'
    text = f"{HEAD}environments:\n  web:\n    labels:\n{keys}"
    shown = error_text(written(tmp_path, text))
    assert "\x1b" not in shown
    assert "\u202e" not in shown
    assert "\\u202ebidi" in shown
    assert "zero\\u200bwidth" in shown


def test_10_000_packages_load_and_expand(tmp_path: Path) -> None:
    packages = "".join(f"      - package-{number}>=1.{number}\n" for number in range(10_000))
    file = written(tmp_path, HEAD + 'environments:\n  web:\n    python: "3.12"\n    packages:\n' + packages)
    (environment,) = expand(load_manifest(file)).environments
    assert len(environment.requirements) == 10_000


def test_a_chain_of_thousands_of_templates_and_environments_needs_no_deep_stack(tmp_path: Path) -> None:
    templates = "".join(f"  t{at}: {{extends: t{at + 1}}}\n" for at in range(3000)) + '  t3000: {python: "3.12"}\n'
    environments = "".join(f'  e{at}: {{python: "3.12", depends_on: [e{at + 1}]}}\n' for at in range(3000))
    text = HEAD + "templates:\n" + templates + "environments:\n" + environments + "  e3000: {extends: t0}\n"
    state = expand(load_manifest(written(tmp_path, text)), names=["e0"])
    assert len(state.environments) == 3001
    cycle = text.replace("  e3000: {extends: t0}", '  e3000: {python: "3.12", depends_on: [e0]}')
    assert "dependency cycle: `e0 -> e1 -> " in error_text(written(tmp_path, cycle))


def test_an_interpreter_inside_the_manifest_s_directory_is_an_error_through_any_path(tmp_path: Path) -> None:
    (tmp_path / "repository" / "bin").mkdir(parents=True)
    (tmp_path / "repository" / "bin" / "python").touch()
    (tmp_path / "outside").symlink_to("repository/bin")
    (tmp_path / "repository" / "out").symlink_to("/usr/bin")
    for python in ("repository/bin/python", "outside/python", "repository/out/python3", "x/../repository/bin/python"):
        text = HEAD + f"environments:\n  a: {{python: {tmp_path}/{python}}}\n"
        assert "the interpreter is inside the manifest's directory" in error_text(
            written(tmp_path / "repository", text)
        )
    text = HEAD + f"environments:\n  a: {{python: {tmp_path}/elsewhere/python}}\n"
    assert load_manifest(written(tmp_path / "repository", text)).environments["a"].python


def root_error(directory: Path, root: object) -> str:
    """Return the message of the first error for a root without its place, which is checked."""
    directory.mkdir(exist_ok=True)
    shown = error_text(written(directory, HEAD + f"root: {root}\n"))
    first, *_, hint = shown.partition("\n\n")[0].splitlines()
    assert first.startswith(f"error: {directory}/envs.yaml:3:7: root: ")
    assert hint == "hint: use a directory for environments only, for example `.envs`"
    return first.rpartition(": ")[2]


def test_a_root_that_contains_the_manifest_is_an_error_also_through_a_symbolic_link(tmp_path: Path) -> None:
    (tmp_path / "repository").mkdir()
    (tmp_path / "link").symlink_to("repository")
    for root in (tmp_path, tmp_path / "repository"):
        assert root_error(tmp_path / "repository", root) == "must not be a directory that contains the manifest"
    shown = root_error(tmp_path / "repository", tmp_path / "link")
    assert shown == "must not be a symbolic link to a directory that contains the manifest"
    assert load_manifest(written(tmp_path / "repository", HEAD + f"root: {tmp_path}/envs\n"))


def test_a_root_that_is_the_home_directory_of_any_user_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "home").mkdir()
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    (tmp_path / "work").mkdir()
    (tmp_path / "work" / "x").symlink_to(tmp_path / "home")
    (tmp_path / "parent").symlink_to(tmp_path)
    assert root_error(tmp_path / "work", tmp_path / "home") == "must not be a home directory"
    assert (
        root_error(tmp_path / "work", f"{tmp_path}/parent/home/") == "must not be a symbolic link to a home directory"
    )
    assert root_error(tmp_path / "work", "x") == "must not be a symbolic link to a home directory"
    assert load_manifest(written(tmp_path / "work", HEAD + f"root: {tmp_path}/home/envs\n"))
    for user in pwd.getpwall():
        if user.pw_dir != "/":
            assert root_error(tmp_path / "work", user.pw_dir) in {
                "must not be a home directory",
                "must not be a system directory",
            }


def test_a_root_that_is_a_git_repository_is_an_error_and_a_directory_inside_is_not(tmp_path: Path) -> None:
    work = tmp_path / "work"
    for name, make in (("clone", Path.mkdir), ("worktree", Path.touch)):  # a worktree's .git is a file
        (work / name).mkdir(parents=True)
        make(work / name / ".git")
        assert root_error(work, name) == "must not be a git repository"
        assert load_manifest(written(work, HEAD + f"root: {name}/.envs\n"))
    (work / "x").symlink_to("clone")
    assert root_error(work, "x") == "must not be a symbolic link to a git repository"
    assert load_manifest(written(work / "clone", HEAD))


def test_a_root_that_is_a_system_directory_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "all").symlink_to("/")
    (tmp_path / "programs").symlink_to("/usr/bin")
    assert root_error(tmp_path, "/") == "must not be the root of the file system"
    assert root_error(tmp_path, "all") == "must not be a symbolic link to the root of the file system"
    assert root_error(tmp_path, "/opt/") == "must not be a system directory"
    assert root_error(tmp_path, "programs") == "must not be a symbolic link to a system directory"
    for root in ("/opt/envs", "/srv/acme/envs", "/envs"):
        assert load_manifest(written(tmp_path, HEAD + f"root: {root}\n"))


def test_expanding_needs_no_pydantic() -> None:
    code = "import sys, reconciler.manifest.expand; sys.exit('pydantic' in sys.modules or 'yaml' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
