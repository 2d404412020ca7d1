"""Hints of `envsync run`, and of the `pip` that envsync puts into an environment."""

import os
import subprocess
from pathlib import Path

from tests.hints.trials import Attempts, trial
from tests.host import Host, base_environment

WEB = 'web:\n  python: "3.11"\n'


def script(host: Host, name: str, text: str, mode: int = 0o755) -> str:
    """Write a file into the directory of the host, and return how it is started there."""
    path = host.directory / name
    path.write_text(text, encoding="utf-8")
    path.chmod(mode)
    return f"./{name}"


@trial(
    "run_errors.py: use a name from the manifest",
    "run_errors.py: correct the name, or add the package that has the command to the manifest",
    "run_errors.py: write `python`, or the absolute path of a different interpreter",
    "run_errors.py: add `pip` to the packages of `{name}`, and use `python -m pip`",
    "run_errors.py: write the path: `./{path}`",
    "run_errors.py: make the file executable",
    "run_errors.py: correct the path, or the first line of the file",
    "run_errors.py: correct the first line of the file",
    "run_errors.py: name a program in it",
    "run_errors.py: replace the file: its symbolic links form a loop",
    "run_errors.py: use a shorter path",
    "run_errors.py: pass fewer or shorter arguments and environment variables",
    "run_errors.py: add a first line such as `#!/bin/sh` to the file, or start it with its interpreter",
    "run_errors.py: wait until the program that writes the file has closed it",
)
def test_a_program_that_cannot_be_started(host: Host, attempts: Attempts) -> None:
    host.manifest(WEB)
    host.apply()
    run = ("run", "web", "--")

    attempts.provoke("run", ".web", "--", "true")
    attempts.gone(*run, "true")

    attempts.provoke(*run, "gamma")
    attempts.gone(*run, "true")  # a correct name; the package is tried below

    attempts.provoke(*run, "python3.99")
    attempts.gone(*run, "python", "-c", "")
    attempts.gone(*run, os.path.realpath("/usr/bin/env"), "true")

    bin_directory = host.directory / "bin"
    bin_directory.mkdir()
    script(host, "bin/tool", "#!/bin/sh\nexit 0\n")
    hint = attempts.provoke(*run, "tool", env={"PATH": "bin"})
    attempts.gone(*run, hint.split("`")[1], env={"PATH": "bin"})

    script(host, "bin/tool", "#!/bin/sh\nexit 0\n", mode=0o644)
    attempts.provoke(*run, "tool", env={"PATH": f"{bin_directory}"})
    (bin_directory / "tool").chmod(0o755)
    attempts.gone(*run, "tool", env={"PATH": f"{bin_directory}"})

    attempts.provoke(*run, "./bin/tool/more")
    attempts.gone(*run, "./bin/tool")
    for interpreter in ("/missing/sh", "/etc/passwd/sh"):
        attempts.again("run_errors.py: correct the path")
        attempts.provoke(*run, script(host, "no-such-interpreter", f"#!{interpreter}\n"))
        attempts.gone(*run, script(host, "no-such-interpreter", "#!/bin/sh\n"))

    nested = [script(host, f"nested-{each}", f"#!{host.directory}/nested-{each + 1}\n") for each in range(7)]
    script(host, "nested-7", "#!/bin/sh\n")
    script(host, "plain", "text\n", mode=0o644)
    for first_line in ("#!/etc", f"#!{host.directory}/plain", f"#!{host.directory}/{nested[0]}"):
        attempts.again("run_errors.py: correct the first")
        attempts.provoke(*run, script(host, "interpreter", f"{first_line}\n"))
        attempts.gone(*run, script(host, "interpreter", "#!/bin/sh\n"))

    attempts.provoke(*run, "./bin")
    attempts.gone(*run, "./bin/tool")

    loop = host.directory / "loop"
    loop.symlink_to("loop")
    attempts.provoke(*run, "./loop")
    loop.unlink()
    attempts.gone(*run, script(host, "loop", "#!/bin/sh\n"))

    attempts.provoke(*run, f"./{'x' * 300}")
    attempts.gone(*run, script(host, "x", "#!/bin/sh\n"))

    large = {f"LARGE_{number}": "x" * 100_000 for number in range(10)}
    host.manifest("web:\n  python: '3.11'\n  env:\n" + "".join(f"    MORE_{each}: {large[each]}\n" for each in large))
    host.apply()
    attempts.provoke(*run, "true", *["x" * 100_000] * 4, env=large)
    attempts.gone(*run, "true", "x")

    attempts.provoke(*run, script(host, "lines", "exit 0\n"))
    attempts.gone(*run, "sh", "./lines")
    attempts.gone(*run, script(host, "lines", "#!/bin/sh\nexit 0\n"))

    copy = host.directory / "copy"
    with copy.open("wb") as writing:
        writing.write(Path("/bin/true").read_bytes())
        copy.chmod(0o755)
        attempts.provoke(*run, "./copy")
    attempts.gone(*run, "./copy")

    attempts.provoke(*run, "pip3.11", "--version", of="run_errors.py: add `pip`")
    host.manifest('web:\n  python: "3.11"\n  packages: [pip]\n')
    pip_wheel(host)
    assert host.envsync("apply", "--yes").code == 0
    attempts.gone(*run, "python", "-m", "pip")


def pip_wheel(host: Host) -> None:
    """Add a package `pip` to the index of a host, which does nothing."""
    from tests.wheels import make_wheel

    make_wheel(host.index.directory, "pip", "1.0", modules={"pip/__init__.py": "", "pip/__main__.py": ""})


@trial("run_errors.py: run `envsync apply {name}`")
def test_an_environment_that_was_not_applied_or_is_damaged(host: Host, attempts: Attempts) -> None:
    host.manifest(WEB + 'jobs:\n  python: "3.11"\n')
    assert host.envsync("apply", "--yes", "jobs").code == 0
    attempts.provoke("run", "web", "--", "true")
    attempts.follow()
    attempts.gone("run", "web", "--", "true")
    for damage in ("python", "seal", "generation"):  # each is answered with the same hint
        attempts.seen.clear()
        generation = (host.root / "web").resolve().parent
        if damage == "python":
            (host.root / "web/bin/python").unlink()
            attempts.provoke("run", "web", "--", "python")
        elif damage == "seal":
            (generation / "seal.json").unlink()
            attempts.provoke("run", "web", "--", "true")
        else:
            subprocess.run(["rm", "-r", generation], check=True)
            attempts.provoke("run", "web", "--", "true")
        attempts.follow()
        attempts.gone("run", "web", "--", "python", "-c", "")


@trial(
    "run_errors.py: choose one of them",
    "run_errors.py: correct `root` in the manifest",
    "run_errors.py: correct the path",
    "run_errors.py: move it to a different path, or take it over with `envsync apply --adopt`",
    "run_errors.py: correct `env` in the manifest, and run `envsync apply {name}`",
)
def test_what_the_manifest_says(host: Host, attempts: Attempts) -> None:
    host.manifest('test:\n  matrix: {python: ["3.11"]}\nother:\n  python: "3.11"\n')
    host.root.mkdir()
    hint = attempts.provoke("run", "test", "--", "true")
    assert hint
    host.apply()
    attempts.gone("run", "test-py311", "--", "true")

    subprocess.run(["python3", "-m", "venv", "--without-pip", host.root / "web"], check=True)
    host.manifest('web:\n  python: "3.11"\n')
    attempts.provoke("run", "web", "--", "true")
    attempts.follow()
    attempts.gone("run", "web", "--", "true")

    host.manifest('web:\n  python: "3.11"\n  env: {SIZE: größe}\n')
    host.apply()
    ascii_only = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    attempts.provoke("run", "web", "--", "true", env=ascii_only)
    host.manifest('web:\n  python: "3.11"\n  env: {SIZE: groesse}\n')
    attempts.follow()
    attempts.gone("run", "web", "--", "true", env=ascii_only)

    (host.directory / "loop").symlink_to("loop")
    host.manifest(WEB, head="root: loop\n")
    attempts.provoke("run", "web", "--", "true")
    host.manifest(WEB)
    attempts.gone("run", "web", "--", "true")

    (host.directory / "file").touch()
    host.manifest(WEB, head="root: file\n")
    attempts.provoke("run", "web", "--", "true")
    host.manifest(WEB)
    attempts.gone("run", "web", "--", "true")


@trial(
    "apply/bin_scripts.py: add the package to the packages of `{name}` in the manifest, then run `envsync apply {name}`"
)
def test_pip_in_an_activated_environment(host: Host, attempts: Attempts) -> None:
    host.manifest(WEB)
    host.apply()
    done = subprocess.run(
        [host.venv("web") / "bin/pip", "install", "gamma"],
        env=base_environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    attempts.printed([line.removeprefix("hint: ") for line in done.stderr.splitlines()])
    host.manifest('web:\n  python: "3.11"\n  packages: [gamma]\n')
    attempts.follow()
    assert "gamma==0.1" in host.freeze("web")
    attempts.cured()
