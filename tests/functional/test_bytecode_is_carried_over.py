"""With `compile_bytecode`, unchanged modules keep their bytecode; only changed modules are compiled."""

import sys
from pathlib import Path

from tests.host import Host
from tests.wheels import make_wheel

SERIES = f"{sys.version_info.major}.{sys.version_info.minor}"
WEB = f'web:\n  python: "{SERIES}"\n  compile_bytecode: true\n  packages: [{{}}, gamma]\n'


def bytecode(host: Host, module: str) -> Path:
    """Return the path of a module's bytecode in the published generation."""
    path = host.site_packages("web").resolve() / module
    return path.parent / "__pycache__" / f"{path.stem}.{sys.implementation.cache_tag}.pyc"


def test_bytecode_of_shared_modules_is_shared_and_of_new_modules_is_compiled(host: Host) -> None:
    host.manifest(WEB.format("alpha==1.0"))
    host.apply()
    alpha, beta = bytecode(host, "alpha/__init__.py"), bytecode(host, "beta.py")
    host.manifest(WEB.format("alpha==1.1"))
    host.apply()
    new_alpha, new_beta = bytecode(host, "alpha/__init__.py"), bytecode(host, "beta.py")
    assert new_beta != beta
    assert new_beta.samefile(beta)
    assert not new_alpha.samefile(alpha)
    assert new_alpha.read_bytes() != alpha.read_bytes()
    assert host.envsync("verify", "--depth", "hashes").code == 0
    ran = host.envsync("run", "web", "--", "python", "-v", "-c", "import alpha, beta; print(alpha.NAME, beta.__file__)")
    assert ran.out == f"alpha 1.1 {host.site_packages('web').resolve() / 'beta.py'}\n"
    assert all(f"{used} matches" in ran.err for used in (new_alpha, new_beta)), ran.err


def test_bytecode_that_was_changed_manually_is_not_used_again(host: Host) -> None:
    host.manifest(WEB.format("alpha==1.0"))
    host.apply()
    beta = bytecode(host, "beta.py")
    intact = beta.read_bytes()
    beta.write_bytes(intact[:16] + b"x" * (len(intact) - 16))
    host.manifest(WEB.format("alpha==1.1"))
    host.apply()
    assert not bytecode(host, "beta.py").samefile(beta)
    assert host.envsync("run", "web", "--", "python", "-c", "import beta; print(beta.NAME)").out == "beta\n"
    assert host.envsync("verify", "--depth", "hashes").code == 0


def test_bytecode_that_python_wrote_since_the_apply_is_not_used_again(host: Host) -> None:
    host.manifest(WEB.format("alpha==1.0").replace("  compile_bytecode: true\n", ""))
    host.apply()
    assert host.envsync("run", "web", "--", "python", "-c", "import beta").code == 0
    made = bytecode(host, "beta.py")
    assert made.exists()
    host.manifest(WEB.format("alpha==1.1"))
    host.apply()
    assert bytecode(host, "beta.py").exists()
    assert not bytecode(host, "beta.py").samefile(made)


def test_bytecode_in_a_wheel_is_replaced_by_our_own_and_the_environment_is_intact(host: Host) -> None:
    module = f"__pycache__/delta.{sys.implementation.cache_tag}.pyc"
    files: dict[str, str | bytes] = {
        "delta.py": "NAME = 'delta'\n",
        module: b"made elsewhere",
        "__pycache__/delta.other-1.pyc": b"not ours",
    }
    make_wheel(host.index.directory, "delta", "1.0", modules=files)
    for alpha in ("1.0", "1.1"):  # first compiled by the engine, then used again
        host.manifest(WEB.format(f"alpha=={alpha}, delta"))
        host.apply()
        assert bytecode(host, "delta.py").read_bytes() != b"made elsewhere"
        assert (bytecode(host, "delta.py").parent / "delta.other-1.pyc").read_bytes() == b"not ours"
        ran = host.envsync("run", "web", "--", "python", "-v", "-c", "import delta; print(delta.NAME)")
        assert ran.out == "delta\n"
        assert f"{bytecode(host, 'delta.py')} matches" in ran.err
        for depth in ("metadata", "files", "hashes"):
            assert host.envsync("check", "--depth", depth).code == 0, depth


def test_without_compile_bytecode_changed_bytecode_from_a_wheel_is_not_used_again(host: Host) -> None:
    module = f"__pycache__/delta.{sys.implementation.cache_tag}.pyc"
    make_wheel(
        host.index.directory, "delta", "1.0", modules={"delta.py": "NAME = 'delta'\n", module: b"made elsewhere"}
    )
    plain = WEB.replace("  compile_bytecode: true\n", "").format("delta")
    host.manifest(plain)
    host.apply()
    bytecode(host, "delta.py").write_bytes(b"changed manually")  # also in the cache, which is a hard link
    host.manifest(plain.replace("gamma", "alpha"))
    host.apply()
    assert bytecode(host, "delta.py").read_bytes() == b"made elsewhere"
    for depth in ("metadata", "files", "hashes"):
        assert host.envsync("check", "--depth", depth).code == 0, depth
