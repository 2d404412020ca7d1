"""A generation is published if its probes pass. If a probe fails, the old generation stays published."""

from pathlib import Path

import pytest

from tests.functional.host_state import finished, generations, published, steps
from tests.host import Host
from tests.wheels import make_wheel

OLD = 'web:\n  python: "3.11"\n  packages: [alpha==1.0]\n'
NEW = OLD.replace("1.0", "1.1")
# Untrusted output of a child: an escape sequence, a bell, a command for a CI system.
UNTRUSTED = "import sys; sys.exit(chr(27) + '[31mred' + chr(7) + chr(10) + '::error::pwned')"


@pytest.fixture
def web(host: Host) -> Host:
    host.manifest(OLD)
    assert host.envsync("apply", "--yes").code == 0
    return host


FAILING = {
    "imports": ("{import: no_such_module}", "probe `import no_such_module` failed with exit code 1", "No module named"),
    "exits": ("{run: [python, -c, 'raise SystemExit(3)']}", "failed with exit code 3", ""),
    "missing": ("{run: [no-such-program]}", "`no-such-program` was not found", ""),
    "sleeps": (
        "{run: [python, -c, 'import time; time.sleep(9)'], timeout: 0.3s}",
        "did not finish within 0.3 seconds",
        "",
    ),
    "dies": ("{run: [python, -c, 'import os; os.kill(os.getpid(), 9)']}", "failed with signal 9", ""),
    "prints": (f'{{run: [python, -c, "{UNTRUSTED}"]}}', "failed with exit code 1", "\\x1b[31mred\\x07"),
}


def test_a_failing_probe_keeps_the_old_generation_published_and_the_failed_one_for_inspection(host: Host) -> None:
    old = {name: f'{name}:\n  python: "3.11"\n  packages: [beta]\n' for name in (*FAILING, "healthy")}
    host.manifest("".join(old.values()))
    host.apply()
    new = {name: text.replace("beta", "alpha==1.0") for name, text in old.items()}
    host.manifest(new.pop("healthy") + "".join(f"{text}  probes: [{FAILING[name][0]}]\n" for name, text in new.items()))
    ran = host.envsync("apply", "--yes")
    assert ran.code == 4, "one of them was applied"
    for name, (_, message, detail) in FAILING.items():
        of_this = ran.err.partition(f"{name}: failed")[2].partition(": failed in")[0]
        assert message in of_this, (name, of_this)
        assert detail in of_this
        assert (published(host, name), generations(host, name)) == (1, [1, 2])
        assert (host.root / f".envsync/generations/{name}/2/venv/bin/python").exists()
    assert published(host, "healthy") == 2
    assert host.freeze("dies") == ["beta==2.0"]
    assert "\x1b" not in ran.out + ran.err
    assert not [line for line in (ran.out + ran.err).splitlines() if line.strip().startswith("::")]
    ran = host.envsync("apply", "--yes", "--output", "json", "prints")
    assert ran.code == 1, "nothing succeeded"
    failed = finished(ran)["prints"]["failure"]
    assert (failed["code"], failed["details"][-1]) == ("probe-failed", "::error::pwned")


def test_one_failed_generation_is_kept_until_an_apply_succeeds(web: Host) -> None:
    web.manifest(NEW + "  probes: [{import: no_such_module}]\n")
    for _ in range(2):
        assert web.envsync("apply", "--yes").code == 1
        assert len(generations(web, "web")) == 2
    web.manifest(NEW + "  probes: [{import: alpha}]\n")
    web.apply()
    assert generations(web, "web") == [1, published(web, "web")]


def test_broken_dependencies_are_named(web: Host) -> None:
    make_wheel(web.index.directory, "needy", "1.0", requires=["beta>=3", "nowhere; python_version < '3'", "gone"])
    web.manifest(
        OLD.replace("[alpha==1.0]", "[alpha==1.0, needy]")
        + "  overrides: ['beta==2.0', 'gone; python_version < \"3\"']\n  probes: [dependencies]\n"
    )
    ran = web.envsync("apply", "--yes")
    assert ran.code == 1
    assert "`needy` 1.0 requires `beta>=3`, but 2.0 is installed" in ran.err
    assert "`needy` 1.0 requires `gone`, which is not installed" in ran.err
    assert "nowhere" not in ran.err


def test_a_probe_that_writes_into_the_environment_is_refused(web: Host) -> None:
    write = "import sys; open(sys.prefix + '/note.txt', 'w').write('x')"
    web.manifest(NEW + f'  probes: [{{run: [python, -c, "{write}"]}}]\n')
    ran = web.envsync("apply", "--yes")
    assert ran.code == 1
    assert "a probe changed the environment: `note.txt`" in ran.err
    assert published(web, "web") == 1
    web.manifest(NEW + f'  probes: [{{run: [python, -c, "{write}"]}}]\n  ignore_files: [note.txt]\n')
    web.apply()


def test_a_new_probe_that_writes_into_the_published_environment_is_refused(web: Host) -> None:
    write = "import sys; open(sys.prefix + '/note.txt', 'w').write('x')"
    web.manifest(OLD + f'  probes: [{{run: [python, -c, "{write}"]}}]\n')
    assert steps(web, "web") == ["probe", "record"]
    ran = web.envsync("apply", "--yes")
    assert ran.code == 1
    assert "a probe changed the environment: `note.txt`" in ran.err


def test_metadata_that_is_not_utf_8_does_not_count_as_changed_by_a_probe(host: Host) -> None:
    make_wheel(host.index.directory, "odd", "1.0", metadata_extra="Author: caf\u00e9\n")
    wheel = next(host.index.directory.glob("odd-*"))
    rewritten = _with_latin_1(wheel)
    wheel.write_bytes(rewritten)
    host.manifest('web:\n  python: "3.11"\n  packages: [odd]\n  probes: [{import: odd}]\n')
    host.apply()


def test_changed_probes_alone_run_and_are_recorded(web: Host) -> None:
    web.manifest(OLD + "  probes: [{import: alpha}]\n")
    assert steps(web, "web") == ["probe", "record"]
    web.apply()
    assert published(web, "web") == 1
    web.manifest(OLD + "  probes: [{import: no_such_module}]\n")
    assert web.envsync("apply", "--yes").code == 1
    assert published(web, "web") == 1
    assert web.environment("web")["action"] == "update", "failed settings are not recorded as applied"
    web.manifest(OLD)
    assert steps(web, "web") == ["record"]
    web.apply()


def test_probes_get_only_the_variables_of_the_manifest(host: Host, tmp_path: Path) -> None:
    see = "import os, sys; sys.exit(repr(sorted(os.environ)) + os.environ['COLOR'] + os.getcwd())"
    env = "{COLOR: blue, public: [COLOR]}"
    host.manifest(f'web:\n  python: "3.11"\n  env: {env}\n  probes: [{{run: [python, -c, "{see}"]}}]\n')
    host.env = {"SECRET_TOKEN": "x", "UV_INDEX_URL": "http://127.0.0.1:9", "PIP_INDEX_URL": "http://127.0.0.1:9"}
    ran = host.envsync("apply", "--yes")
    assert ran.code == 1
    assert "blue" in ran.err
    assert "VIRTUAL_ENV" in ran.err
    assert "SECRET_TOKEN" not in ran.err
    assert "_INDEX_URL" not in ran.err
    assert str(host.directory) not in ran.err.partition("blue")[2]


def _with_latin_1(wheel: Path) -> bytes:
    """Return the wheel with the accented letter of METADATA in Latin-1, as in some old wheels."""
    import io
    import zipfile

    from tests.wheels import record_hash

    out = io.BytesIO()
    with zipfile.ZipFile(wheel) as old, zipfile.ZipFile(out, "w") as new:
        files = {name: old.read(name) for name in old.namelist()}
        metadata = files["odd-1.0.dist-info/METADATA"].replace("\u00e9".encode(), b"\xe9")
        record = files["odd-1.0.dist-info/RECORD"].decode()
        kept = [line for line in record.splitlines() if "METADATA" not in line]
        kept.append(f"odd-1.0.dist-info/METADATA,{record_hash(metadata)},{len(metadata)}")
        files["odd-1.0.dist-info/METADATA"] = metadata
        files["odd-1.0.dist-info/RECORD"] = ("\n".join(kept) + "\n").encode()
        for name, content in files.items():
            new.writestr(name, content)
    return out.getvalue()
