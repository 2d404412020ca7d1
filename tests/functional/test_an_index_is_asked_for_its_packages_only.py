"""The usual set-ups with several indexes: PyTorch's, a private one with credentials, a directory of wheels."""

from dataclasses import replace
from pathlib import Path

from tests.host import Host
from tests.index import ServedIndex, serve_index
from tests.wheels import make_sdist, make_wheel

CREDENTIALS = {"UV_INDEX_ACME_USERNAME": "joe", "UV_INDEX_ACME_PASSWORD": "s3cret"}


def asked(index: ServedIndex) -> set[str]:
    """Return the projects whose pages were requested."""
    return {path.split("/")[2] for path in index.requests if path.startswith("/simple/")}


def test_variants_of_pytorch_a_private_index_and_the_rest_of_another(host: Host, tmp_path: Path) -> None:
    for name in ("cpu", "gpu"):
        wheels = tmp_path / name
        make_wheel(wheels, "torch", f"2.3.0+{name}", requires=["beta", "nvidia-cuda"] if name == "gpu" else ["beta"])
        make_wheel(wheels, "beta", "0.1")  # PyTorch's index has old copies of common packages
        make_wheel(wheels, "alpha", "0.1")
    make_wheel(host.index.directory, "nvidia-cuda", "12.1")
    make_wheel(host.index.directory, "torch", "9.9")
    make_wheel(tmp_path / "acme", "acme-app", "1.0", requires=["acme-core", "alpha"])
    make_wheel(tmp_path / "acme", "acme-core", "1.0")
    make_wheel(host.index.directory, "acme-core", "9.9")
    with (
        serve_index(tmp_path / "cpu") as cpu,
        serve_index(tmp_path / "gpu") as gpu,
        serve_index(tmp_path / "acme", credentials=("joe", "s3cret")) as acme,
    ):
        cpu.broken |= {f"/simple/{name}/": 403 for name in ("alpha", "beta", "acme-app", "acme-core")}
        acme.broken |= {f"/simple/{name}/": 403 for name in ("alpha", "beta", "torch")}
        head = (
            f"  - {{name: pytorch-cpu, url: '{cpu.url}', packages: [torch]}}\n"
            f"  - {{name: pytorch-gpu, url: '{gpu.url}', packages: [torch]}}\n"
            f"  - {{name: acme, url: '{acme.url}', packages: ['acme-*']}}\n"
            'templates:\n  base: {python: "3.11", indexes: [local, acme]}\n'
        )
        host.manifest(
            "web: {extends: base, packages: [acme-app]}\n"
            "ml-cpu: {extends: base, packages: [torch, alpha], indexes: [pytorch-cpu]}\n"
            "ml-gpu: {extends: base, packages: [torch, acme-core], indexes: [pytorch-gpu]}\n",
            head=head,
        )
        refused = host.envsync("lock")
        assert refused.code == 1
        assert refused.err.count("UV_INDEX_ACME_USERNAME") == 1, "two environments and three packages need it"
        assert "ml-gpu, web: index `acme` (`127.0.0.1:" in refused.err
        host.env = CREDENTIALS | {"UV_INDEX_ACME_HOST": acme.base.removeprefix("http://")}
        planned = host.envsync("plan")
        assert planned.code == 0, planned.err
        host.apply()
        frozen = {name: host.freeze(name) for name in ("web", "ml-cpu", "ml-gpu")}
        assert frozen == {
            "web": ["acme-app==1.0", "acme-core==1.0", "alpha==1.1", "beta==2.0"],
            "ml-cpu": ["alpha==1.1", "beta==2.0", "torch==2.3.0+cpu"],
            "ml-gpu": ["acme-core==1.0", "beta==2.0", "nvidia-cuda==12.1", "torch==2.3.0+gpu"],
        }
        assert (asked(cpu), asked(gpu), asked(acme)) == ({"torch"}, {"torch"}, {"acme-app", "acme-core"})
        assert asked(host.index).isdisjoint({"torch", "acme-app", "acme-core"})
        for lock in (host.directory / "locks").iterdir():
            urls = {line.partition('"')[2][:-1] for line in lock.read_text().splitlines() if line.startswith("index")}
            assert urls <= {cpu.url, gpu.url, acme.url, host.index.url}
        assert host.envsync("lock", "--upgrade", "--offline").code == 0, "everything is in the cache"


def test_a_directory_of_wheels_next_to_the_manifest_needs_no_network(host: Host, tmp_path: Path) -> None:
    wheels = host.directory / "deploy wheels"
    make_wheel(wheels, "gamma", "5.0", requires=["alpha", "source"])
    make_wheel(wheels, "alpha", "5.0")
    make_sdist(wheels, "source", "1.0")
    web = 'web: {python: "3.11", packages: [gamma]}\n'
    host.manifest(web, head="indexes: [{name: wheels, url: './deploy wheels'}]\n", local_index=False)
    host.apply("--offline")
    assert host.freeze("web") == ["alpha==5.0", "gamma==5.0", "source==1.0"]
    assert host.index.requests == []
    lock = (host.directory / "locks/pylock.web.toml").read_text()
    assert 'path = "../deploy wheels/alpha-5.0-py3-none-any.whl"' in lock
    assert "index =" not in lock
    assert host.directory.name not in lock, "no path of this machine"

    elsewhere = replace(host, directory=tmp_path / "clone")
    elsewhere.directory.mkdir()
    for name in ("envs.yaml", "locks", "deploy wheels"):
        (host.directory / name).rename(elsewhere.directory / name)
    assert elsewhere.envsync("plan", "--locked").code == 0, "the lock is up to date"
    elsewhere.apply("--offline")
    assert elsewhere.freeze("web") == ["alpha==5.0", "gamma==5.0", "source==1.0"]
