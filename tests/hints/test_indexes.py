"""Hints about indexes, and about packages that cannot be resolved."""

import functools
import shutil
import ssl
import subprocess
import threading
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest

import reconciler
from reconciler.errors import LockError
from reconciler.options import PlanOptions
from tests import index_faults
from tests.docs.test_troubleshooting import BACKEND, STATIC, rewrite
from tests.functional.projects import write_project
from tests.hints.trials import Attempts, trial
from tests.host import Host, base_environment
from tests.index import serve_index
from tests.index_faults import Fault
from tests.wheels import make_sdist, make_wheel

# A project whose metadata only its backend knows.
DYNAMIC = STATIC.replace("acme", "needed").replace('version = "1.0"\n', 'dynamic = ["version", "dependencies"]\n')


def raise_hint(host: Host) -> None:
    """Raise an error with the hint of an environment whose lock may not be made in a plan of the Python API."""
    workspace = reconciler.load(host.directory / "envs.yaml", ambient=base_environment())
    plan = workspace.plan(options=PlanOptions(resolve=False)).plan
    raise LockError("no lock", hint=plan.environments[0].hints[0])


def web(host: Host, *packages: str, more: str = "", head: str = "") -> None:
    listed = ", ".join(f'"{each}"' for each in packages)
    host.manifest(f'web:\n  python: "3.11"\n  packages: [{listed}]\n{more}', head=head)


def wheel(host: Host, name: str, version: str = "1.0", **more: object) -> None:
    make_wheel(host.index.directory, name, version, **more)  # type: ignore[arg-type]  # passed on


@trial(
    "engines/uv_errors.py: correct the name, or add the index that has it to `indexes`",
    "engines/uv_errors.py: require a different version; `==` selects a yanked one on purpose",
    "engines/uv_errors.py: require a different version, or a different `python`",
    "lock/select.py: run `envsync lock --upgrade {name}` to look for a version that has a wheel for it, or require a different version",
    "engines/uv_errors.py: loosen one of the requirements or constraints named above",
    "engines/uv_errors.py: check the URL and the revision, and that `git fetch` works here without a prompt",
    "engines/uv_errors.py: publish it there, or change the `packages` of {listed}",
    "engines/uv_errors.py: the first index that has a package decides: change the order of `indexes`, or pin it with `packages`",
    "engines/index_directories.py: create the directory, or correct the `url` of the index",
    "lock/checks.py: find out why the file differs, then update the hashes in the requirements file",
    "lock/update.py: write only the name; the manifest says which versions are allowed",
    long=True,
)
def test_packages_that_cannot_be_resolved(host: Host, attempts: Attempts) -> None:
    web(host, "gama")
    attempts.provoke("plan")
    web(host, "gamma")
    attempts.gone("plan")

    wheel(host, "pulled")
    host.index.yanked["pulled-1.0-py3-none-any.whl"] = "wrong"
    web(host, "pulled")
    attempts.provoke("plan")
    web(host, "pulled==1.0")
    attempts.gone("plan")

    wheel(host, "windows", tag="cp27-cp27m-win32")
    wheel(host, "windows", "0.9")
    web(host, "windows==1.0")
    attempts.provoke("plan")
    web(host, "windows<1.0")
    attempts.gone("plan")

    wheel(host, "older", tag="cp311-cp311-win32")
    wheel(host, "older", "0.9")
    web(host, "older==1.0")
    attempts.provoke("plan")
    make_wheel(host.index.directory, "older", "1.0")
    attempts.follow()
    attempts.gone("plan", "--locked")
    web(host, "older<1.0")
    attempts.gone("plan")

    web(host, "alpha>2")
    attempts.provoke("plan")
    web(host, "alpha")
    attempts.gone("plan")

    web(host, f"acme @ git+file://{host.directory}/missing.git")
    attempts.provoke("plan")
    repository = host.directory / "acme"
    repository.mkdir()
    (repository / "pyproject.toml").write_text(STATIC, encoding="utf-8")
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@example.org"]
    for words in (["init", "--quiet"], ["add", "."], ["commit", "--quiet", "-m", "first"]):
        subprocess.run([*git, *words], cwd=repository, check=True)
    web(host, f"acme @ git+file://{repository}")
    attempts.gone("plan")

    with serve_index(host.directory / "own-wheels") as own:
        indexes = (
            f"  - {{name: public, url: '{host.index.url}'}}\n  - {{name: own, url: '{own.url}', packages: [PINNED]}}\n"
        )
        manifest = f"version: 1\nproject: acme\nindexes:\n{indexes}environments: {{web: {{python: '3.11', packages: [alpha]}}}}\n"
        file = host.directory / "envs.yaml"
        file.write_text(manifest.replace("PINNED", "beta"), encoding="utf-8")
        attempts.provoke("plan")
        make_wheel(own.directory, "beta", "3.0")
        attempts.gone("plan")
        make_wheel(own.directory, "gamma", "9.0")
        make_wheel(host.index.directory, "delta", "1.0", requires=["gamma>=9"])
        manifest = manifest.replace("[alpha]", "[delta]")
        file.write_text(manifest.replace(", packages: [PINNED]", ""), encoding="utf-8")
        attempts.provoke("plan")
        file.write_text(manifest.replace("PINNED", "gamma"), encoding="utf-8")
        attempts.gone("plan")

        file.write_text(manifest.replace(own.url, (host.directory / "missing").as_uri()), encoding="utf-8")
        attempts.provoke("plan")
        file.write_text(manifest.replace(own.url, own.directory.as_uri()).replace("PINNED", "gamma"), encoding="utf-8")
        attempts.gone("plan")

    (host.directory / "requirements.txt").write_text(f"gamma --hash=sha256:{'1' * 64}\n", encoding="utf-8")
    host.manifest('web:\n  python: "3.11"\n  requirements: [requirements.txt]\n')
    attempts.provoke("plan")
    digest = subprocess.run(
        ["sha256sum", host.index.directory / "gamma-0.1-py3-none-any.whl"], capture_output=True, text=True, check=True
    ).stdout.split()[0]
    (host.directory / "requirements.txt").write_text(f"gamma --hash=sha256:{digest}\n", encoding="utf-8")
    attempts.gone("plan")

    attempts.provoke("lock", "-P", "gamma>=1")
    attempts.gone("lock", "-P", "gamma")


@trial(
    "engines/uv_errors.py: allow more time with `--timeout`",
    "errors.py: try again later; the index, or a proxy in front of it, does not answer in time",
    "errors.py: try again; if it happens again, a proxy or the index truncates answers",
    "errors.py: try again later; the error is on the index's side",
    "errors.py: check the index's URL, the network, and the proxy variables",
    "errors.py: ask the operator of the index",
    "errors.py: keep credentials out of files: set `UV_INDEX_<NAME>_USERNAME`, `UV_INDEX_<NAME>_PASSWORD` and `UV_INDEX_<NAME>_HOST`, or use netrc",
    "engines/uv_index_errors.py: set `{user}`, `{password}` and `{host_variable(index.name)}={index_host(index.url)}`, "
    "or use netrc",
    "engines/uv_credentials.py: if this host may have them, set `{host_variable(index.name)}={host}`",
    "engines/uv_index_errors.py: correct `{user}` and `{password}`, or ask the operator of the index for access",
    long=True,
)
def test_an_index_that_fails(host: Host, attempts: Attempts) -> None:
    web(host, "gamma")
    page = "/simple/gamma/"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(index_faults, "_DRIP_SECONDS", 0.01)
        host.index.faulty[page] = Fault.DRIP
        attempts.provoke("plan", "--timeout", "1")
        attempts.gone("plan", *attempts.options(), "60")

    host.index.faulty[page] = Fault.HANG
    attempts.provoke("plan", "--timeout", "3")
    host.index.faulty.clear()  # later
    attempts.gone("plan")

    host.index.faulty[page] = Fault.TRUNCATE
    attempts.provoke("plan")
    host.index.faulty.clear()
    attempts.gone("plan")

    host.index.broken[page] = 503
    attempts.provoke("plan")
    host.index.broken[page] = 400
    attempts.provoke("plan")
    attempts.not_here("ask the operator")
    host.index.broken.clear()
    attempts.last = next(each for each in attempts.keys if "on the index's side" in each)
    attempts.gone("plan")

    manifest = host.directory / "envs.yaml"
    right = manifest.read_text(encoding="utf-8")
    manifest.write_text(right.replace(host.index.base, "http://127.0.0.1:1"), encoding="utf-8")
    attempts.provoke("plan", "--timeout", "20")
    manifest.write_text(right, encoding="utf-8")
    attempts.gone("plan")

    host.index.credentials = ("joe", "s3cret")
    credentials = {"UV_INDEX_LOCAL_USERNAME": "joe", "UV_INDEX_LOCAL_PASSWORD": "s3cret"}
    bound = {"UV_INDEX_LOCAL_HOST": host.index.base.removeprefix("http://")}
    attempts.provoke("plan", of="engines/uv_index_errors.py: set")
    attempts.gone("plan", env=credentials | bound)
    attempts.provoke("plan", env=credentials, of="engines/uv_credentials.py")
    credentials |= bound
    attempts.gone("plan", env=credentials)
    attempts.provoke("plan", env=credentials | {"UV_INDEX_LOCAL_PASSWORD": "wrong"})
    attempts.gone("plan", env=credentials)
    manifest.write_text(right.replace("http://", "http://joe:s3cret@"), encoding="utf-8")
    attempts.provoke("plan")
    manifest.write_text(right, encoding="utf-8")
    attempts.gone("plan", env=credentials)
    netrc = host.directory / "netrc"
    netrc.write_text("machine 127.0.0.1 login joe password s3cret\n", encoding="utf-8")
    netrc.chmod(0o600)
    attempts.gone("plan", env={"NETRC": str(netrc)})


@trial(
    "errors.py: keep credentials out of files: use netrc, or for git a credential helper",
    "manifest/requirements_line.py: write the value out; keep credentials out of files: use netrc, or for git a credential helper",
)
def test_credentials_of_a_direct_url(host: Host, attempts: Attempts) -> None:
    host.index.credentials = ("joe", "s3cret")
    netrc = host.directory / "netrc"
    netrc.write_text("machine 127.0.0.1 login joe password s3cret\n", encoding="utf-8")
    netrc.chmod(0o600)
    url = host.index.file_url("gamma-0.1-py3-none-any.whl")
    web(host, f"gamma @ {url.replace('//', '//joe:s3cret@')}")
    attempts.provoke("plan")
    web(host, f"gamma @ {url}")
    attempts.gone("plan", env={"NETRC": str(netrc)})
    lines = host.directory / "requirements.txt"
    lines.write_text(f"gamma @ {url.replace('//', '//${USER}:${TOKEN}@')}\n", encoding="utf-8")
    host.manifest('web:\n  python: "3.11"\n  requirements: [requirements.txt]\n')
    attempts.provoke("plan")
    lines.write_text(f"gamma @ {url}\n", encoding="utf-8")
    attempts.gone("plan", env={"NETRC": str(netrc)})


@trial(
    "errors.py: try again; if it happens again, the file is damaged on the index or by a proxy",
    "errors.py: check the URL; for a file that a lock names, `envsync lock --upgrade-package NAME` finds a new one",
    "engines/uv_errors.py: find out who changed the file, then accept the new one with `envsync lock --upgrade-package NAME`",
    "engines/uv_errors.py: run the command once without `--offline`, which fills the cache",
    "engines/uv_errors.py: remove that package, or ask its author to rename the script",
    "engines/uv_errors.py: require a different version, or report the wheel to its author",
    "engines/uv_errors.py: fix what the output above names, such as a missing compiler, library or variable (`build_env`)",
    "engines/uv_errors.py: fix the problem that the output above shows, then run the command again",
    "errors.py: require a different version of {packages}, or report it to its author",
    "apply/build.py: remove the package whose wheel has such a file below `*.data/data` or `*.data/scripts`",
    "apply/environment.py: run the command once without `--offline`, which downloads the packages again",
    long=True,
)
def test_files_that_cannot_be_installed(host: Host, attempts: Attempts) -> None:
    def locked(*packages: str, more: str = "") -> None:
        web(host, *packages, more=more)
        ran = host.envsync("lock")
        assert ran.code == 0, ran.err

    apply = ("apply", "--yes", "--no-gc")
    files = host.index.directory
    locked("gamma")
    attempts.provoke(*apply, "--offline")
    attempts.gone(*apply)
    attempts.gone(*apply, "--offline")

    wheel(host, "scripts", scripts={"python": "scripts:main"})
    locked("scripts")
    attempts.provoke(*apply)
    locked("gamma")
    attempts.gone(*apply)

    wheel(host, "changed")
    locked("changed")
    good = files / "changed-1.0-py3-none-any.whl"
    content = good.read_bytes()
    good.write_bytes(b"x" * len(content))
    attempts.provoke(*apply, "--timeout", "20")
    good.write_bytes(content)
    attempts.gone(*apply)

    wheel(host, "gone")
    locked("gone")
    (files / "gone-1.0-py3-none-any.whl").rename(host.directory / "away")
    wheel(host, "gone", "1.1")
    attempts.provoke(*apply)
    attempts.follow(NAME="gone")
    attempts.gone(*apply)

    wheel(host, "other")
    locked("other")
    make_wheel(files, "other", "1.0", modules={"other/__init__.py": "CHANGED = True\n"})
    attempts.provoke(*apply)
    attempts.follow(NAME="other")
    attempts.gone(*apply)

    wheel(host, "label")
    (files / "label-1.0-py3-none-any.whl").rename(files / "label-2.0-py3-none-any.whl")
    wheel(host, "label")
    locked("label")
    attempts.provoke(*apply)
    locked("label<2")
    attempts.gone(*apply)

    make_sdist(
        files, "source", "1.0", files={"pyproject.toml": STATIC.replace("acme", "source"), "backend.py": BACKEND}
    )
    locked("source")
    attempts.provoke(*apply)
    attempts.not_here("fix what the output above names, such as a missing compiler")

    rewrite(make_wheel(files, "norecord", "1.0"), drop="/RECORD")
    locked("norecord")
    attempts.provoke(*apply)
    make_wheel(files, "norecord", "1.0")
    assert host.envsync("lock", "--upgrade-package", "norecord").code == 0
    attempts.gone(*apply)

    rewrite(make_wheel(files, "nowheel", "1.0"), drop="/WHEEL")
    locked("nowheel")
    attempts.provoke(*apply)
    wheel(host, "nowheel", "0.9")
    locked("nowheel<1.0")
    attempts.gone(*apply)
    attempts.again("errors.py: require")

    wheel(host, "edited", "0.9")
    rewrite(make_wheel(files, "edited", "1.0"), edit="edited/__init__.py")
    locked("edited")
    attempts.provoke(*apply, of="errors.py: require")
    attempts.provoke(*apply, "--offline", of="apply/environment.py")
    make_wheel(files, "edited", "1.0")
    attempts.last = next(each for each in attempts.keys if each.startswith("errors.py: require"))
    locked("edited<1.0")
    attempts.gone(*apply)
    attempts.last = next(each for each in attempts.keys if each.startswith("apply/environment.py"))
    locked("edited==0.9")
    attempts.gone(*apply)

    wheel(host, "config", data={"data/pyvenv.cfg": "home = /\n"})
    locked("config")
    attempts.provoke(*apply)
    locked("gamma")
    attempts.gone(*apply)


@trial(
    "engines/uv_errors.py: allow it in `builds`, or require a version with a wheel",
    "lock/resolve_all.py: a source distribution must be built to know its dependencies: allow it in `builds`, or require a version with a wheel",
    "lock/resolve_all.py: a source distribution must be built to know its dependencies: run `envsync lock {name}`",
    "lock/select.py: allow it with `builds: [{name}]`, or require a version that has a wheel",
    "targets.py: run `envsync lock {name}`",
    "lock/resolve_all.py: try again when the indexes answer",
    long=True,
)
def test_builds_and_locks_that_must_be_made(host: Host, attempts: Attempts) -> None:
    make_sdist(host.index.directory, "acme", "1.0")
    web(host, "acme", more="  builds: deny\n")
    attempts.provoke("lock", of="engines")
    attempts.provoke(
        "plan", of="lock/resolve_all.py: a source distribution must be built to know its dependencies: allow"
    )
    make_wheel(host.index.directory, "acme", "1.1")
    attempts.gone("plan")
    attempts.last = attempts.keys[0]
    attempts.gone("lock")

    make_sdist(host.index.directory, "needed", "1.0", files={"pyproject.toml": DYNAMIC, "backend.py": ""})
    web(host, "needed")
    attempts.provoke("plan")
    host.index.directory.joinpath("needed-1.0.tar.gz").unlink()
    make_sdist(
        host.index.directory,
        "needed",
        "1.0",
        files={"pyproject.toml": STATIC.replace("acme", "needed"), "backend.py": ""},
    )
    attempts.follow()
    attempts.gone("plan")

    web(host, "needed", more="  builds: deny\n")
    hint = attempts.provoke("plan")
    web(host, "needed", more=f"  {hint.split('`')[1]}\n")
    attempts.gone("plan")

    web(host, "gamma")
    attempts.refused(lambda: raise_hint(host))
    attempts.follow()
    attempts.gone("plan", "--locked")

    names = [f"e{number}" for number in range(12)]
    host.manifest(
        "".join(f"{each}:\n  python: '3.11'\n  packages: [gamma, 'beta<{10 + int(each[1:])}']\n" for each in names)
    )
    host.index.faulty["/simple/gamma/"] = Fault.HANG
    attempts.provoke("plan", "--timeout", "2")
    host.index.faulty.clear()
    attempts.gone("plan")


@trial("engines/uv_index_errors.py: set `SSL_CERT_FILE` to the absolute path of the certificates to trust")
def test_a_certificate_that_is_not_trusted(host: Host, attempts: Attempts) -> None:
    certificate, key = host.directory / "certificate.pem", host.directory / "key.pem"
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=index"),
            *("-addext", "subjectAltName=IP:127.0.0.1", "-addext", "basicConstraints=critical,CA:FALSE"),
            *("-keyout", key, "-out", certificate),
        ],
        check=True,
        capture_output=True,
    )
    page = host.directory / "served/simple/gamma"
    page.mkdir(parents=True)
    name = "gamma-0.1-py3-none-any.whl"
    shutil.copy(host.index.directory / name, page)
    (page / "index.html").write_text(f'<a href="{name}">{name}</a>', encoding="utf-8")
    handler = functools.partial(Quiet, directory=str(host.directory / "served"))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        server.socket = context.wrap_socket(server.socket, server_side=True)
        serving = threading.Thread(target=server.serve_forever)
        serving.start()
        try:
            web(host, "gamma")
            manifest = host.directory / "envs.yaml"
            text = manifest.read_text(encoding="utf-8")
            url = f"https://127.0.0.1:{server.server_port}/simple"
            manifest.write_text(text.replace(host.index.url, url), encoding="utf-8")
            hint = attempts.provoke("plan")
            attempts.gone("plan", env={hint.split("`")[1]: str(certificate)})
        finally:
            server.shutdown()
            serving.join()


class Quiet(SimpleHTTPRequestHandler):
    """Serves files, and logs nothing."""

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the name in the base class
        pass


@trial("lock/checks.py: add `{name}` to the dependencies of the project, and its directory to `[tool.uv.sources]`")
def test_the_name_of_a_local_project_that_another_package_requires(host: Host, attempts: Attempts) -> None:
    wheel(host, "needs-core", requires=["core"])
    wheel(host, "core", "9.0")
    app, core = host.directory / "app", host.directory / "core"
    write_project(core, "core")
    (host.directory / "pyproject.toml").write_text(
        '[project]\nname = "all"\nversion = "1"\n[tool.uv.workspace]\nmembers = ["app", "core"]\n'
    )
    write_project(app, "app", dependencies='["needs-core"]')
    host.manifest('web: {python: "3.11", project: {path: app}}')
    attempts.provoke("plan")
    more = "[tool.uv.sources]\ncore = { workspace = true }\n"
    write_project(app, "app", dependencies='["needs-core", "core"]', more=more)
    attempts.gone("lock")
    assert 'directory = { path = "../core", editable = true }' in (host.directory / "locks/pylock.web.toml").read_text()
