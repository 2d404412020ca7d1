"""How uv gets the indexes of the manifest: options, or a configuration in which a filter serves pinned packages."""

import socket
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from reconciler.engines.deadlines import Deadlines
from reconciler.engines.engine import InstallRequest
from reconciler.engines.index_filter import filter_addresses
from reconciler.engines.uv_build_variables import build_variables, build_variables_table
from reconciler.engines.uv_indexes import UvIndexes, attempts, uv_indexes
from reconciler.engines.uv_warnings import yanked_table
from reconciler.manifest.desired import Index
from reconciler.manifest.index_rules import DEFAULT_INDEX
from reconciler.processes.child import Completed
from tests.engines.requests import install_request

ONE = Index(name="one", url="https://one.example/simple")
OTHER = Index(name="other", url="https://other.example/simple")
PINNED = Index(name="pinned", url="https://pinned.example/simple", packages=("acme-*",))


def given(*indexes: Index, **more: str) -> UvIndexes:
    with uv_indexes(indexes, more, offline=False, attempt=0) as found:
        return found


@pytest.mark.parametrize(
    ("indexes", "options"),
    [
        ((), ()),
        ((ONE,), ("--default-index", f"one={ONE.url}")),
        ((ONE, OTHER), ("--index", f"one={ONE.url}", "--default-index", f"other={OTHER.url}")),
        ((ONE, DEFAULT_INDEX), ("--index", f"one={ONE.url}")),
    ],
)
def test_plain_indexes_are_options(indexes: tuple[Index, ...], options: tuple[str, ...]) -> None:
    assert given(*indexes) == UvIndexes(indexes=indexes, options=options)


def test_pinned_packages_come_through_the_filter(tmp_path: Path) -> None:
    with uv_indexes((ONE, PINNED, OTHER), {"NO_PROXY": "intranet"}, offline=False, attempt=0) as found:
        [(address, real)] = found.addresses.items()
        base = address.removesuffix("1/")
        assert (real, found.end, found.options) == (PINNED.url, f"{base}{found.end.removeprefix(base)}", ())
        assert base.startswith("http://127.0.0.1:")
        assert found.indexes == (ONE, PINNED, OTHER)
        assert found.environment == {"NO_PROXY": "intranet,127.0.0.1", "no_proxy": "intranet,127.0.0.1"}
        assert found.configuration == (
            f'[[index]]\nurl = "{address}"\n\n[[index]]\nurl = "{found.end}"\n\n'
            f'[[index]]\nurl = "{ONE.url}"\nname = "one"\n\n'
            f'[[index]]\nurl = "{OTHER.url}"\nname = "other"\ndefault = true\n\n'
            f'[[index]]\nname = "pinned"\nurl = "{PINNED.url}"\nexplicit = true\n'
        )
    for ambient, expected in (({}, "127.0.0.1"), ({"no_proxy": "a"}, "a,127.0.0.1")):
        assert given(PINNED, DEFAULT_INDEX, **ambient).environment["NO_PROXY"] == expected


def test_the_default_index_is_left_to_uv() -> None:
    found = given(PINNED, DEFAULT_INDEX)
    assert "default = true" not in found.configuration
    assert found.configuration.count("[[index]]") == 3  # through the filter, the end of the search, and its real URL


def test_a_directory_gets_pages(tmp_path: Path) -> None:
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    (wheels / "acme_one-1.0-py3-none-any.whl").touch()
    (wheels / "beta-1.0-py3-none-any.whl").touch()
    index = Index(name="local", url=wheels.as_uri(), packages=("acme-*",))
    with uv_indexes((index,), {}, offline=False, attempt=0) as found:
        [(address, real)] = found.addresses.items()
        assert (real, found.end, found.environment) == (index.url, "", {})
        assert f'url = "{address}"\nexclude-newer = false\n' in found.configuration
        assert "explicit" not in found.configuration
        pages = Path(address.removeprefix("file://"))
        assert (pages / "acme-one").is_dir()
        assert not (pages / "beta").exists()
    assert not pages.exists()
    (wheels / "acme_one-1.0-py3-none-any.whl").unlink()
    with uv_indexes((index,), {}, offline=False, attempt=0) as found:
        [address] = found.addresses
        assert list(Path(address.removeprefix("file://")).iterdir()) == []  # it has none of its packages
    (wheels / "beta-1.0-py3-none-any.whl").unlink()
    (wheels / "simple").mkdir()
    plain = Index(name="local", url=wheels.as_uri())
    assert given(plain).options == ("--default-index", f"local={plain.url}")


def test_the_output_has_the_indexes_own_urls() -> None:
    found = UvIndexes(
        addresses={"http://127.0.0.1:1/x/0/": "https://a.example/simple"}, end="http://127.0.0.1:1/x/end/"
    )
    advice = b" A compatible version may be available on a subsequent index (e.g., http://127.0.0.1:1/x/end/)."
    done = Completed(
        argv=("uv",),
        returncode=1,
        stdout=b"from http://127.0.0.1:1/x/0/tool/",
        stderr=b"see http://127.0.0.1:1/x/0/" + advice + b" End",
        timed_out=False,
    )
    translated = found.translated(done)
    assert translated.stdout == b"from https://a.example/simple/tool/"
    assert translated.stderr == b"see https://a.example/simple/ End"
    assert translated.returncode == 1
    assert UvIndexes().translated(done) == done


def test_only_offline_runs_have_several_attempts() -> None:
    assert attempts((ONE,), offline=True) == attempts((PINNED,), offline=False) == range(1)
    assert len(attempts((PINNED,), offline=True)) > 1
    assert attempts((ONE, PINNED), offline=True) == attempts((PINNED, ONE), offline=True) != range(1)


PACKAGES = (
    {"name": "wheel", "wheels": [{}]},
    {"name": "file", "archive": {"path": "a.whl"}},
    {"name": "url", "archive": {"url": "https://a.example/a.whl"}},
    {"name": "built", "sdist": {}},
    {"name": "packed", "archive": {"path": "a.tar.gz"}},
    {"name": "edited", "directory": {"editable": True}},
)


def request(**more: object) -> InstallRequest:
    return install_request(Path("/v"), Path("/p"), **more)


def test_only_packages_without_a_wheel_get_variables() -> None:
    found = build_variables(PACKAGES, request(variables={"CC": "cc"}), ())
    assert found == {name: {"CC": "cc"} for name in ("built", "packed", "edited")}
    assert build_variables(PACKAGES, request(), ()) == {}


def test_secrets_are_only_a_digest_and_editables_are_always_built() -> None:
    one, two = (build_variables(PACKAGES, request(secrets={"TOKEN": each}), ("edited",)) for each in ("a", "b"))
    assert one.keys() == {"built", "packed", "edited"}
    assert one["built"] != two["built"]
    assert [*one["built"]] == ["ENVSYNC_BUILD_SECRETS"]
    assert one["built"]["ENVSYNC_BUILD_SECRETS"].startswith("sha256:")
    assert {*one["edited"]} == {"ENVSYNC_BUILD_SECRETS", "ENVSYNC_BUILD"}
    assert one["edited"]["ENVSYNC_BUILD"] != two["edited"]["ENVSYNC_BUILD"]
    assert build_variables(PACKAGES, request(), ("edited",)).keys() == {"edited"}


def test_the_table_of_variables() -> None:
    assert build_variables_table({}) == ""
    table = build_variables_table({"a": {"CC": 'c"c', "X": ""}, "b": {"Y": "1"}})
    assert table == '[extra-build-variables]\n"a" = { CC = "c\\"c", X = "" }\n"b" = { Y = "1" }\n'


def test_the_table_of_yanked_versions() -> None:
    assert yanked_table({}) == ""
    assert yanked_table({"a==1": 'b"c', "d==2": ""}) == '\n[tool.envsync.yanked]\n"a==1" = "b\\"c"\n"d==2" = ""\n'


def test_short_deadlines_allow_one_attempt() -> None:
    assert [Deadlines.within(each).retries for each in (29.9, 30.0)] == [0, Deadlines().retries]


def test_the_filter_listens_only_with_the_network_and_offline_its_address_is_that_of_the_attempt() -> None:
    indexes = (ONE, PINNED)

    def answers(address: str) -> bool:
        with closing(socket.socket()) as asking:
            return asking.connect_ex(("127.0.0.1", urlsplit(address).port or 0)) == 0

    with uv_indexes(indexes, {}, offline=False, attempt=0) as found:
        assert answers(found.end)
    for attempt in attempts(indexes, offline=True)[:3]:
        with uv_indexes(indexes, {}, offline=True, attempt=attempt) as found:
            assert found.addresses == {f"{filter_addresses(indexes)[attempt]}/1/": PINNED.url}
            assert not answers(found.end)


def test_directories_alone_need_no_filter(tmp_path: Path) -> None:
    (tmp_path / "wheels").mkdir()
    with uv_indexes((replace(PINNED, url=(tmp_path / "wheels").as_uri()),), {}, offline=False, attempt=0) as found:
        [address] = found.addresses
        table = f'[[index]]\nurl = "{address}"\nexclude-newer = false\ndefault = true\n'
        assert (found.configuration, found.end, found.environment) == (table, "", {})
