"""An index is asked only for what it may serve: shown by the requests that the indexes get from the real uv."""

import os
import socket
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from reconciler.engines.engine import ResolveRequest
from reconciler.engines.index_filter import filter_addresses, index_filter
from reconciler.engines.uv import UvEngine
from reconciler.errors import (
    EngineError,
    IndexForbiddenError,
    IndexUnreachableError,
    OfflineError,
    PackageNotFoundError,
    ResolveError,
)
from reconciler.interpreters.model import Interpreter
from reconciler.manifest.desired import Index
from reconciler.manifest.index_rules import DEFAULT_INDEX, used_indexes
from tests.engines.requests import install_request, resolve_request
from tests.index import ServedIndex, serve_index
from tests.wheels import make_sdist, make_wheel


@pytest.fixture
def own(tmp_path: Path) -> Iterator[ServedIndex]:
    """Yield an index with credentials: acme-app 1.0 (requires acme-core, beta), acme-core 1.0, and a foreign beta 9.0.

    It answers 403 for every other name.
    """
    wheels = tmp_path / "own"
    make_wheel(wheels, "acme-app", "1.0", requires=["acme-core", "beta"])
    make_wheel(wheels, "acme-core", "1.0")
    make_wheel(wheels, "beta", "9.0")
    with serve_index(wheels, credentials=("joe", "s3cret")) as index:
        index.broken |= {"/simple/beta/": 403, "/simple/alpha/": 403}
        yield index


@pytest.fixture
def both(served: ServedIndex, own: ServedIndex) -> tuple[Index, ...]:
    """Return the public index and that of `acme-*`; the public one has an `acme-core` of its own."""
    make_wheel(served.directory, "acme-core", "9.9")
    return (Index(name="public", url=served.url), Index(name="own", url=own.url, packages=("acme-*",)))


CREDENTIALS = {"UV_INDEX_OWN_USERNAME": "joe", "UV_INDEX_OWN_PASSWORD": "s3cret"}


def credentials(own: Index) -> dict[str, str]:
    return CREDENTIALS | {"UV_INDEX_OWN_HOST": urlsplit(own.url).netloc}


def engine_at(cache: Path, **variables: str) -> UvEngine:
    return UvEngine(ambient={**os.environ, **variables}, cache=cache, index_names=("own", "public"))


def request(interpreter: Interpreter, indexes: tuple[Index, ...], *lines: str) -> ResolveRequest:
    return resolve_request(*lines, interpreter=interpreter, indexes=indexes)


def projects(index: ServedIndex) -> set[str]:
    """Return the names that an index was asked for since the last call."""
    found = {path.split("/")[2] for path in index.requests if path.startswith("/simple/")}
    files = {path.split("/")[2].partition("-")[0] for path in index.requests if path.startswith("/files/")}
    index.requests.clear()
    return found | {each.replace("_", "-") for each in files}


def test_each_index_is_asked_for_its_own_packages_only(
    tmp_path: Path, interpreter: Interpreter, served: ServedIndex, own: ServedIndex, both: tuple[Index, ...]
) -> None:
    files = {  # a build that requires packages of both indexes
        "pyproject.toml": _BUILD_SYSTEM,
        "b.py": _BACKEND,
    }
    make_sdist(served.directory, "built", "1.0", files=files)
    engine = engine_at(tmp_path / "cache", **credentials(both[1]))
    asked = request(interpreter, both, "acme-app", "built")
    document = engine.resolve(asked)
    assert 'name = "acme-core"\nversion = "1.0"' in document
    assert f"{own.base}/files/acme_core-1.0-py3-none-any.whl" in document
    assert projects(own) == {"acme-app", "acme-core"}, "a transitive package, and one that only a build requires"
    assert projects(served) == {"beta", "built"}

    pins = ("acme-app==1.0", "acme-core==1.0", "beta==2.0", "built==1.0")
    assert engine.indexes_of(pins, asked) == dict(zip(pins, (own.url, own.url, served.url, served.url), strict=True))
    assert projects(own) | projects(served) <= {"acme-app", "acme-core", "beta", "built"}

    venv = tmp_path / "generation/venv"
    venv.parent.mkdir()
    pylock = venv.parent / "pylock.toml"
    pylock.write_text(document)
    engine.create(venv, interpreter, system_site_packages=False, prompt="web")
    engine.install(install_request(venv, pylock, indexes=both))
    assert projects(own) <= {"acme-app", "acme-core"}
    assert projects(served) <= {"beta", "built"}

    offline = replace(asked, offline=True, requirements=("acme-app",))
    assert 'name = "acme-core"\nversion = "1.0"' in engine.resolve(offline)
    assert projects(own) | projects(served) == set()


def test_offline_works_although_another_program_had_the_port(
    tmp_path: Path, interpreter: Interpreter, both: tuple[Index, ...]
) -> None:
    engine = engine_at(tmp_path / "cache", **credentials(both[1]))
    asked = request(interpreter, both, "acme-app")
    with taken(filter_addresses(both)[0]):
        engine.resolve(asked)
    assert "acme-core" in engine.resolve(replace(asked, offline=True))
    with pytest.raises(OfflineError):
        engine_at(tmp_path / "empty", **credentials(both[1])).resolve(replace(asked, offline=True))


def test_a_refused_request_names_the_variables_once(
    tmp_path: Path, interpreter: Interpreter, both: tuple[Index, ...], own: ServedIndex
) -> None:
    asked = request(interpreter, both, "acme-app", "acme-core", "acme-other")
    with pytest.raises(IndexForbiddenError) as caught:
        engine_at(tmp_path / "cache").resolve(asked)
    host = urlsplit(own.base).netloc
    variables = f"`UV_INDEX_OWN_USERNAME`, `UV_INDEX_OWN_PASSWORD` and `UV_INDEX_OWN_HOST={host}`"
    assert caught.value.hint == f"set {variables}, or use netrc"
    assert caught.value.message == f"index `own` (`{urlsplit(own.base).netloc}`) requires valid credentials (401)"
    assert caught.value.details == (), "they would differ for each package"
    with pytest.raises(IndexForbiddenError) as caught:
        engine_at(tmp_path / "cache", **(credentials(both[1]) | {"UV_INDEX_OWN_PASSWORD": "wrong"})).resolve(asked)
    assert caught.value.hint is not None
    assert caught.value.hint.startswith("correct `UV_INDEX_OWN_USERNAME` and `UV_INDEX_OWN_PASSWORD`")
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login joe password s3cret\n")
    netrc.chmod(0o600)
    with pytest.raises(PackageNotFoundError) as missing:
        engine_at(tmp_path / "cache", NETRC=str(netrc)).resolve(asked)
    assert missing.value.message == "package `acme-other` was not found on `own`, the index that it is pinned to"


def test_the_filter_is_not_reached_through_a_proxy(
    tmp_path: Path, interpreter: Interpreter, both: tuple[Index, ...]
) -> None:
    engine = engine_at(
        tmp_path / "cache", **credentials(both[1]), HTTP_PROXY="http://127.0.0.1:1", NO_PROXY="index.example"
    )
    assert "acme-core" in engine.resolve(request(interpreter, both, "acme-app"))


@pytest.mark.parametrize("default", [None, True])
def test_without_an_index_for_the_rest_the_default_index_is_asked_for_the_rest_only(
    default: bool | None, tmp_path: Path, interpreter: Interpreter, own: ServedIndex
) -> None:
    pinned = (Index(name="own", url=own.url, packages=("acme-*",), default=default),)
    used = used_indexes(pinned, names=())
    assert used == (pinned if default else (*pinned, DEFAULT_INDEX))
    with recording_proxy() as (proxy, requests):
        engine = engine_at(tmp_path / "cache", **credentials(pinned[0]), HTTPS_PROXY=proxy)
        assert "acme-core" in engine.resolve(replace(request(interpreter, used, "acme-core"), dependencies=False))
        assert requests == []
        with pytest.raises(PackageNotFoundError if default else EngineError):
            engine.resolve(request(interpreter, used, "acme-app"))
    assert len(set(requests)) == (0 if default else 1)
    assert all(each.startswith("CONNECT ") and each.endswith(":443 HTTP/1.1") for each in requests)


def test_a_directory_of_files_is_an_index(tmp_path: Path, interpreter: Interpreter, served: ServedIndex) -> None:
    files = tmp_path / "Räder & more"
    make_wheel(files, "beta", "3.0")
    make_wheel(files, "acme-core", "1.0", requires=["beta"])
    make_sdist(files, "source", "1.0")
    (files / "notes.txt").write_text("no distribution")
    (files / "not-a-wheel.whl").write_text("no distribution")
    here, public = Index(name="own", url=files.as_uri()), Index(name="public", url=served.url)
    engine = engine_at(tmp_path / "cache")

    def pins(indexes: tuple[Index, ...], *lines: str, **more: object) -> dict[str, str]:
        plain = request(interpreter, indexes, *lines)
        document = engine.resolve(replace(plain, **more))  # type: ignore[arg-type]
        names = [line.partition('"')[2][:-1] for line in document.splitlines() if line.startswith("name = ")]
        versions = [line.partition('"')[2][:-1] for line in document.splitlines() if line.startswith("version = ")]
        return dict(zip(names, versions, strict=True))

    newest = "2021-01-01T00:00:00Z"
    assert pins((here,), "acme-core", "source", offline=True, exclude_newer=newest) == {
        "acme-core": "1.0", "beta": "3.0", "source": "1.0",
    }  # fmt: skip
    assert pins((here, public), "acme-core", "alpha") == {"acme-core": "1.0", "alpha": "1.1", "beta": "3.0"}
    assert pins((public, here), "acme-core") == {"acme-core": "1.0", "beta": "2.0"}, "the first index decides"
    own = replace(here, packages=("acme-*",))
    served.requests.clear()
    assert pins((own, public), "acme-core") == {"acme-core": "1.0", "beta": "2.0"}
    assert projects(served) == {"beta"}
    asked = request(interpreter, (own, public), "acme-core")
    assert engine.indexes_of(("acme-core==1.0", "beta==2.0"), asked) == {
        "acme-core==1.0": own.url, "beta==2.0": public.url,
    }  # fmt: skip
    with pytest.raises(PackageNotFoundError, match="`acme-other` was not found on `own`"):
        pins((own, public), "acme-other")
    gone = replace(own, url=(tmp_path / "gone").as_uri())
    with pytest.raises(IndexUnreachableError, match="cannot be listed: No such file or directory"):
        pins((gone, public), "acme-core")


def test_a_directory_with_pages_is_an_index_that_can_be_pinned(tmp_path: Path, interpreter: Interpreter) -> None:
    directory = tmp_path / "simple"
    make_wheel(tmp_path / "files", "acme-core", "1.0", requires=["beta"])
    make_wheel(tmp_path / "files", "beta", "1.0")
    for name, file in (("acme-core", "acme_core-1.0-py3-none-any.whl"), ("beta", "beta-1.0-py3-none-any.whl")):
        (directory / name).mkdir(parents=True)
        (directory / name / "index.html").write_text(f'<!DOCTYPE html><a href="../../files/{file}">{file}</a>')
    own = Index(name="own", url=directory.as_uri(), packages=("acme-*",))
    engine = engine_at(tmp_path / "cache")
    alone = replace(request(interpreter, (own, Index(name="rest", url=directory.as_uri())), "acme-core"), offline=True)
    assert (tmp_path / "files/acme_core-1.0-py3-none-any.whl").as_uri() in engine.resolve(alone)
    with pytest.raises(PackageNotFoundError, match="beta"):
        engine.resolve(replace(alone, offline=False, indexes=(replace(own, default=True),)))


def test_a_version_on_a_later_index_is_explained_without_options_of_uv(
    tmp_path: Path, interpreter: Interpreter, served: ServedIndex
) -> None:
    files = tmp_path / "more"
    make_wheel(files, "beta", "7.0")
    indexes = (Index(name="public", url=served.url), Index(name="own", url=files.as_uri()))
    with pytest.raises(ResolveError) as caught:
        engine_at(tmp_path / "cache").resolve(request(interpreter, indexes, "beta>=7"))
    assert caught.value.hint == (
        "the first index that has a package decides: change the order of `indexes`, or pin it with `packages`"
    )
    assert "`beta` was found on" in "\n".join(caught.value.details)
    assert "--index-strategy" not in "\n".join(caught.value.details)


def test_a_version_that_the_pinned_index_lacks_is_explained_without_the_filter(
    tmp_path: Path, interpreter: Interpreter, both: tuple[Index, ...]
) -> None:
    with pytest.raises(ResolveError) as caught:
        engine_at(tmp_path / "cache", **credentials(both[1])).resolve(request(interpreter, both, "acme-core>=7"))
    assert caught.value.hint == "loosen one of the requirements or constraints named above"
    assert "/end/" not in "\n".join(caught.value.details)
    assert "`acme-core` was found on" in "\n".join(caught.value.details)


# The filter itself


def test_the_url_of_an_index_may_have_any_character(both: tuple[Index, ...]) -> None:
    indexes = (both[0], replace(both[1], url="https://index.example/ü/索引/+simple"))
    with index_filter(indexes) as address, closing(HTTPConnection(urlsplit(address).netloc)) as connection:
        connection.request("GET", "/1/acme-core/")
        answer = connection.getresponse()
    location = "https://index.example/%C3%BC/%E7%B4%A2%E5%BC%95/+simple/acme-core/"
    assert (answer.status, answer.headers["Location"]) == (307, location)


def test_the_filter_redirects_answers_404_or_ends_the_search(both: tuple[Index, ...], own: ServedIndex) -> None:
    refused = ("/0/beta/", "/0/acme-core/", "/1/beta/", "/2/beta/", "/end/beta/", "/end/", "/", "/0/", "/0/a%2fb/")
    with index_filter(both) as address, closing(HTTPConnection(urlsplit(address).netloc)) as connection:
        assert address == filter_addresses(both)[0]
        answers = {}
        for path in ("/1/acme-core/", "/end/acme-core/", *refused):
            connection.request("GET", path)
            answer = connection.getresponse()
            answer.read()
            answers[path] = (answer.status, answer.headers.get("Location"))
    assert answers == {
        "/1/acme-core/": (307, f"{own.url}acme-core/"),
        "/end/acme-core/": (200, None),
        **dict.fromkeys(refused, (404, None)),
    }
    with pytest.raises(ConnectionRefusedError), closing(HTTPConnection(urlsplit(address).netloc)) as connection:
        connection.connect()


def test_threads_share_a_filter_until_the_last_one_ends(both: tuple[Index, ...]) -> None:
    with index_filter(both) as first:
        with index_filter(both) as second:
            assert first == second
        with closing(socket.create_connection(("127.0.0.1", urlsplit(first).port or 0))):
            pass
        with index_filter(both[:1]) as other:
            assert other != first


def test_a_port_that_is_taken_is_left_alone(both: tuple[Index, ...]) -> None:
    first, second, *_ = filter_addresses(both)
    with taken(first):
        with index_filter(both) as address:
            assert address == second
        with taken(*filter_addresses(both)[1:]), index_filter(both) as address:
            assert address not in filter_addresses(both)


@contextmanager
def taken(*addresses: str) -> Iterator[None]:
    """Listen at addresses of this machine for the time of a block."""
    sockets = [socket.create_server(("127.0.0.1", urlsplit(each).port or 0)) for each in addresses]
    try:
        yield
    finally:
        for each in sockets:
            each.close()


@contextmanager
def recording_proxy() -> Iterator[tuple[str, list[str]]]:
    """Yield the address of a proxy that refuses everything, and the list of the requests that it got."""
    requests: list[str] = []

    def answer() -> None:
        while True:
            try:
                connection, _ = listening.accept()
            except OSError:
                return
            with connection:
                requests.append(connection.recv(4096).decode().partition("\r\n")[0])
                connection.sendall(b"HTTP/1.1 503 no\r\nContent-Length: 0\r\n\r\n")

    listening = socket.create_server(("127.0.0.1", 0))
    thread = threading.Thread(target=answer, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}", requests
    finally:
        listening.shutdown(socket.SHUT_RDWR)
        listening.close()
        thread.join()


_BUILD_SYSTEM = """\
[build-system]
requires = ["acme-core", "beta"]
build-backend = "b"
backend-path = ["."]
"""
_BACKEND = """\
import acme_core, beta, zipfile, os

def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    assert (acme_core.__version__, beta.__version__) == ("1.0", "2.0")
    name = "built-1.0-py3-none-any.whl"
    with zipfile.ZipFile(os.path.join(wheel_directory, name), "w") as wheel:
        wheel.writestr("built-1.0.dist-info/METADATA", "Metadata-Version: 2.1\\nName: built\\nVersion: 1.0\\n")
        wheel.writestr("built-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
        wheel.writestr("built-1.0.dist-info/RECORD", "")
    return name
"""
