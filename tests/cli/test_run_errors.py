"""Why `run` could not start a command: every reason, its words, its hint and its exit code."""

import errno
from pathlib import Path

import pytest

from reconciler import run_errors
from reconciler.cli import run as run_command
from reconciler.errors import EnvsyncError, NotExecutableError, NotFoundError, RunError, StateError
from reconciler.fs.os_error_hint import os_error_hint
from reconciler.state.layout import Layout
from tests.state.records import publish
from tests.unprivileged import reachable_directory, unprivileged

APPLY = "run `envsync apply web`"
ACCESS = os_error_hint(PermissionError(errno.EACCES, ""))


def parts(error: EnvsyncError) -> tuple[type[EnvsyncError], str, str | None]:
    return type(error), error.message, error.hint


@pytest.fixture
def root(tmp_path: Path) -> Path:
    made = tmp_path / "root"
    made.mkdir()
    return made


@pytest.fixture
def manifest(tmp_path: Path) -> str:
    file = tmp_path / "envs.yaml"
    file.write_text(
        "version: 1\nproject: acme\nenvironments:\n  web: {python: '3.12'}\n"
        "  test: {matrix: {python: ['3.11', '3.12']}}\n"
    )
    return str(file)


def test_a_root_that_is_missing_or_no_directory(tmp_path: Path, manifest: str) -> None:
    (tmp_path / "file").write_text("")
    assert parts(run_errors.not_published(f"{tmp_path}/none", "web", manifest)) == (
        RunError,
        f"environment `web` is not published: the root `{tmp_path}/none` does not exist",
        f"{APPLY}, or name the manifest with `-f FILE`",
    )
    assert parts(run_errors.not_published(f"{tmp_path}/file", "web", manifest)) == (
        RunError,
        f"the root `{tmp_path}/file` is not a directory",
        "correct `root` in the manifest",
    )


def test_a_name_that_was_never_published(root: Path, manifest: str) -> None:
    publish(Layout(root), "old", 1)
    known = "`old`, `test-py311`, `test-py312`, `web`"
    (root / "wob").mkdir()  # it was never published, so no hint names it
    for name, message, hint in (
        ("web", f"environment `web` is not published in `{root}`", APPLY),
        ("test", "`test` has several environments: `test-py311`, `test-py312`", "choose one of them"),
        ("wbe", f"environment `wbe` is not published in `{root}`", "did you mean `web`?"),
        ("wobb", f"environment `wobb` is not published in `{root}`", f"use one of the environments: {known}"),
        ("olde", f"environment `olde` is not published in `{root}`", "did you mean `old`?"),
    ):
        assert parts(run_errors.not_published(str(root), name, manifest)) == (RunError, message, hint)
    assert run_errors.not_published(str(root), "olde", "/none/envs.yaml").hint == "did you mean `old`?"


def test_a_path_that_is_not_ours_or_points_to_nothing(root: Path, manifest: str) -> None:
    (root / "web").mkdir()
    assert parts(run_errors.not_published(str(root), "web", manifest)) == (
        RunError,
        f"environment `web` is not published: `{root}/web` is not a symbolic link that envsync made",
        "move it to a different path, or take it over with `envsync apply --adopt`",
    )
    (root / "web").rmdir()
    publish(Layout(root), "web", 3)
    message = "generation 3 of `web` is published, but it is missing or has no seal"
    assert parts(run_errors.not_published(str(root), "web", manifest)) == (RunError, message, APPLY)


def test_a_root_that_may_not_be_entered(manifest: str) -> None:
    with reachable_directory() as directory:
        (directory / "root" / "inner").mkdir(parents=True)
        (directory / "root").chmod(0)
        with unprivileged():
            for path, place in ((f"{directory}/root", "root/web"), (f"{directory}/root/inner", "root/inner")):
                found = parts(run_errors.not_published(path, "web", manifest))
                assert found == (RunError, f"`{directory}/{place}` could not be read: Permission denied", ACCESS)
        (directory / "root").chmod(0o755)


def test_a_root_that_may_not_be_listed_has_no_names_to_suggest() -> None:
    with reachable_directory() as directory:
        root = directory / "root"
        root.mkdir()
        publish(Layout(root), "old", 1)
        root.chmod(0o711)
        with unprivileged():
            found = parts(run_errors.not_published(str(root), "olde", "/none/envs.yaml"))
        hint = "define it first, or leave it out: no environments are defined"
        assert found == (RunError, f"environment `olde` is not published in `{root}`", hint)
        root.chmod(0o755)


def test_a_name_that_is_not_valid_and_an_error_of_the_state_are_errors_of_run() -> None:
    expected = (RunError, "`a/b` is not a valid environment name", "use a name from the manifest")
    assert parts(run_errors.invalid_name("a/b")) == expected
    with pytest.raises(RunError) as caught, run_errors.as_run_error():
        raise StateError("it is damaged", hint="repair it")
    assert parts(caught.value) == (RunError, "it is damaged", "repair it")


def test_a_command_of_the_environment_that_cannot_be_used(root: Path) -> None:
    bin_directory = root / "bin"
    bin_directory.mkdir()
    (bin_directory / "python").symlink_to("/none/python3.12")
    (bin_directory / "tool").symlink_to("/none/tool")
    (bin_directory / "loop").symlink_to("loop")
    (bin_directory / "plain").write_text("")
    (bin_directory / "directory").mkdir()
    to_missing = "`python` of environment `web` points to an interpreter that no longer exists: `/none/python3.12`"
    for name, expected in {
        "python": (NotFoundError, to_missing, APPLY),
        "tool": (NotFoundError, "`tool` of environment `web` points to a missing file: `/none/tool`", APPLY),
        "loop": (
            NotExecutableError,
            "`loop`: Too many levels of symbolic links",
            "replace the file: its symbolic links form a loop",
        ),
        "plain": (NotExecutableError, "`plain`: Permission denied", "make the file executable"),
        "directory": (NotExecutableError, "`directory`: Is a directory", "name a program in it"),
    }.items():
        assert parts(run_errors.unusable(name, str(root), "web")) == expected
    for wanted, kind in ((True, NotFoundError), (False, RunError)):
        assert parts(run_errors.no_interpreter("python", str(root), "web", wanted=wanted)) == (kind, to_missing, APPLY)
    (bin_directory / "python").unlink()
    missing = f"environment `web` has no `python`: `{bin_directory}/python` does not exist"
    assert parts(run_errors.no_interpreter("x", str(root), "web", wanted=False)) == (RunError, missing, APPLY)
    (bin_directory / "python").write_text("")
    plain = f"`python` of environment `web` is not executable: `{bin_directory}/python`"
    assert parts(run_errors.no_interpreter("x", str(root), "web", wanted=False)) == (RunError, plain, APPLY)
    (bin_directory / "python").unlink()
    (bin_directory / "python").symlink_to("python")
    loop = run_errors.no_interpreter("x", str(root), "web", wanted=False)
    assert loop.message == f"`{bin_directory}/python` could not be read: Too many levels of symbolic links"
    assert loop.hint


def test_a_command_that_is_not_on_the_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "here").write_text("")
    nowhere = "correct the name, or add the package that has the command to the manifest"
    for program, path, denied, reserved, expected in (
        ("x", "/bin", "/bin/x", False, (NotExecutableError, "`/bin/x`: Permission denied", "make the file executable")),
        ("x", "/bin", None, False, (NotFoundError, "`x`: not found in the environment or on `PATH`", nowhere)),
        ("here", "", None, False, (NotFoundError, "`here`: not found in the environment or on `PATH`", nowhere)),
        (
            "here",
            "/bin:.",
            None,
            False,
            (
                NotFoundError,
                "`here`: not found in the environment or in an absolute directory of `PATH`",
                "write the path: `././here`",
            ),
        ),
        (
            "Pip3",
            "/bin",
            None,
            True,
            (
                NotFoundError,
                "environment `web` has no `Pip3`, and `run` takes no Python or pip from `PATH`",
                "add `pip` to the packages of `web`, and use `python -m pip`",
            ),
        ),
        (
            "python2",
            "/bin",
            None,
            True,
            (
                NotFoundError,
                "environment `web` has no `python2`, and `run` takes no Python or pip from `PATH`",
                "write `python`, or the absolute path of a different interpreter",
            ),
        ),
    ):
        assert parts(run_errors.not_found(program, "web", path, denied=denied, reserved=reserved)) == expected


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (
            ValueError("embedded null byte"),
            (
                RunError,
                "an argument or a variable of environment `web` is not valid: embedded null byte",
                f"correct `env` in the manifest, and {APPLY}",
            ),
        ),
        (
            FileNotFoundError(errno.ENOENT, "No such file"),
            (
                NotFoundError,
                "`x`: the file, or the interpreter in its first line, was not found",
                "correct the path, or the first line of the file",
            ),
        ),
        (
            OSError(errno.ENOEXEC, "Exec format error"),
            (
                NotExecutableError,
                "`x`: Exec format error",
                "add a first line such as `#!/bin/sh` to the file, or start it with its interpreter",
            ),
        ),
        (
            PermissionError(errno.EACCES, "Permission denied"),
            (NotExecutableError, "`x`: Permission denied", "make the file executable"),
        ),
        (
            OSError(errno.ELOOP, "Too many levels"),
            (NotExecutableError, "`x`: Too many levels", "correct the first line of the file"),
        ),
        (OSError(errno.EIO, "I/O error"), (NotExecutableError, "`x`: I/O error", "correct the first line of the file")),
    ],
)
def test_a_file_that_cannot_be_started(tmp_path: Path, error: OSError | ValueError, expected: object) -> None:
    assert parts(run_errors.not_started("x", f"{tmp_path}/x", "/none", "web", error)) == expected


def test_a_script_that_may_be_executed_has_a_first_line_that_may_not(tmp_path: Path) -> None:
    script = tmp_path / "x"
    script.write_text("")
    denied = PermissionError(errno.EACCES, "Permission denied")
    for mode, hint in ((0o644, "make the file executable"), (0o755, "correct the first line of the file")):
        script.chmod(mode)
        assert run_errors.not_started("x", str(script), "/none", "web", denied).hint == hint


def test_a_script_whose_interpreter_is_gone_names_it(tmp_path: Path) -> None:
    gone = FileNotFoundError(errno.ENOENT, "No such file")
    found = run_errors.not_started("x", f"{tmp_path}/bin/x", str(tmp_path), "web", gone)
    assert found.message == f"environment `web` has no `python`: `{tmp_path}/bin/python` does not exist"


@pytest.mark.parametrize("filename", ["/some/file", None])
def test_an_error_of_the_system_ends_with_125(
    filename: str | None, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise OSError(errno.EMFILE, "Too many open files", filename)

    monkeypatch.setattr(run_command, "run_in", fail)
    monkeypatch.setattr(run_command, "_root", lambda _: "/none")
    assert run_command.run(["web", "true"]) == 125
    where = "/some/file: " if filename else ""
    assert capfd.readouterr().err.startswith(f"error: {where}Too many open files\n")


def test_a_manifest_that_cannot_be_read_is_named(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert run_command.run(["-f", f"{tmp_path}/none.yaml", "web", "true"]) == 125
    assert capfd.readouterr().err == (
        f"error: {tmp_path}/none.yaml: No such file or directory\nhint: name the manifest with `-f FILE`\n"
    )
