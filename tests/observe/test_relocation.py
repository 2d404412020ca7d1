"""Which scripts name an environment at a different path."""

import hashlib
from pathlib import Path

import pytest

from reconciler.observe.actual import Finding, FindingCode
from reconciler.observe.relocation import relocated_scripts


def found(tmp_path: Path, name: str, text: str, *, home: str = "/base/bin", only_activate: bool = False) -> list[str]:
    """Return the paths that a script names although the environment is at `tmp_path/venv` and `tmp_path/web`."""
    (tmp_path / "venv/bin").mkdir(parents=True, exist_ok=True)
    content = text.replace("{here}", str(tmp_path / "venv")).replace("{link}", str(tmp_path / "web"))
    (tmp_path / "venv/bin" / name).write_text(content, newline="")
    findings = relocated_scripts(
        str(tmp_path / "venv"), [str(tmp_path / "venv"), f"{tmp_path}/x/../web"], home, only_activate=only_activate
    )
    for each in findings:
        assert (each.code, each.path) == (FindingCode.MOVED, f"bin/{name}")
        assert each.content == hashlib.sha256(content.encode()).hexdigest()
    return [each.detail.removeprefix("it names the environment ").strip("`") for each in findings]


@pytest.mark.parametrize(
    ("name", "text", "named"),
    [
        ("activate", "VIRTUAL_ENV=/old\n", ["/old"]),
        ("activate", "x\n  export VIRTUAL_ENV='/old path' \nVIRTUAL_ENV=/second\n", ["/old path"]),
        ("activate", 'VIRTUAL_ENV="/old"\n', ["/old"]),
        ("activate.csh", "setenv VIRTUAL_ENV '/old'\n", ["/old"]),
        ("activate.fish", "set -gx VIRTUAL_ENV /old\n", ["/old"]),
        ("activate", "VIRTUAL_ENV={here}\n", []),
        ("activate", "VIRTUAL_ENV={here}/x/..\n", []),
        ("activate", "VIRTUAL_ENV={link}\n", []),
        ("activate", "VIRTUAL_ENV=relative\n", []),
        ("activate", "#!/old/bin/python\n", []),
        ("other", "VIRTUAL_ENV=/old\n", []),
        ("tool", "#!/old/bin/python\n", ["/old"]),
        ("tool", "#! /old/bin/python3.12 -E\n", ["/old"]),
        ("tool", "#!/old/bin/pypy3\r\n", ["/old"]),
        ("tool", "#!/old/bin/python3.13t\n", ["/old"]),
        ("tool", "#!{here}/bin/python\n", []),
        ("tool", "#!{link}/bin/python\n", []),
        ("tool", "#!/base/bin/python3\n", []),
        ("tool", "#!/usr/bin/python3\n", []),
        ("tool", "#!/usr/local/bin/python3\n", []),
        ("tool", "#!/bin/sh\n", []),
        ("tool", "#!/old/bin/perl\n", []),
        ("tool", "#!/old/python\n", []),
        ("tool", "#!/usr/bin/env python\n", []),
        ("tool", "print('#!/old/bin/python')\n", []),
        ("tool", "#!relative\n", []),
        ("tool", "#!/bin/sh\n'''exec' '/old path/bin/python' \"$0\" \"$@\"\n", ["/old path"]),
        ("tool", "#!/bin/sh\n'''exec' /old/bin/python \"$0\" \"$@\"\n", ["/old"]),
        ("python-config", "#!/old/bin/python\n", []),
        ("pypy-tool", "#!/old/bin/python\n", []),
    ],
)
def test_a_script_that_names_another_environment(tmp_path: Path, name: str, text: str, named: list[str]) -> None:
    assert found(tmp_path, name, text) == named


def test_a_link_to_the_environment_is_the_environment(tmp_path: Path) -> None:
    (tmp_path / "alias").symlink_to("venv")
    assert found(tmp_path, "tool", f"#!{tmp_path}/alias/bin/python\n") == []


def test_of_a_sealed_environment_only_activate_is_read(tmp_path: Path) -> None:
    assert found(tmp_path, "tool", "#!/old/bin/python\n", only_activate=True) == []
    (tmp_path / "venv/bin/tool").unlink()
    assert found(tmp_path, "activate", "VIRTUAL_ENV=/old\n", only_activate=True) == ["/old"]


def test_the_directory_of_the_base_interpreter_may_end_in_a_slash(tmp_path: Path) -> None:
    assert found(tmp_path, "tool", "#!/base/bin/python3\n", home="/base/bin/") == []
    assert found(tmp_path, "tool", "#!/base/bin/python3\n", home="") == ["/base"]


def test_what_is_not_a_small_file_is_passed_over(tmp_path: Path) -> None:
    directory = tmp_path / "venv/bin"
    (directory / "inner").mkdir(parents=True)
    (directory / "a-link").symlink_to("tool")
    (directory / "large").write_text("#!/old/bin/python\n" + "x" * 1024 * 1024)
    assert found(tmp_path, "tool", "#!/old/bin/python\n") == ["/old"]
    none: list[Finding] = relocated_scripts(str(tmp_path / "none"), [], "", only_activate=False)
    assert none == []
