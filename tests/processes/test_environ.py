"""What of the ambient environment children may see."""

import pytest

from reconciler.processes.environ import allowed_environment, index_credentials

HOSTILE = {
    "UV_INDEX_URL": "x", "UV_PROJECT_ENVIRONMENT": "x", "UV_CONFIG_FILE": "x", "PIP_INDEX_URL": "x",
    "PIP_REQUIRE_VIRTUALENV": "1", "PYTHONPATH": "x", "PYTHONSTARTUP": "x", "PYTHONHOME": "x", "VIRTUAL_ENV": "x",
    "CONDA_PREFIX": "x", "LD_PRELOAD": "x", "LD_LIBRARY_PATH": "x", "GIT_DIR": "x", "BASH_ENV": "x", "ENV": "x",
    "AWS_SECRET_ACCESS_KEY": "x", "__PYVENV_LAUNCHER__": "x",
}  # fmt: skip


def test_nothing_that_steers_a_tool_gets_through() -> None:
    assert allowed_environment({**HOSTILE, "PATH": "/bin"}) == {"PATH": "/bin"}


def test_what_a_network_a_compiler_and_a_locale_need_gets_through() -> None:
    needed = {
        "HOME": "/h", "HTTPS_PROXY": "p", "no_proxy": "n", "SSL_CERT_FILE": "c", "LC_ALL": "C.UTF-8", "LANG": "C",
        "CFLAGS": "-O2", "NETRC": "/n", "SSH_AUTH_SOCK": "/s", "PATH": "/bin", "TMPDIR": "/t",
    }  # fmt: skip
    assert allowed_environment(needed) == needed


@pytest.mark.parametrize(
    ("path", "kept"),
    [
        ("/usr/bin:/bin", "/usr/bin:/bin"),
        (".:/bin", "/bin"),
        ("bin:./x:/bin:", "/bin"),
        ("::/bin", "/bin"),
        ("~/bin:/bin", "/bin"),
        ("", "/usr/local/bin:/usr/bin:/bin"),
        (".", "/usr/local/bin:/usr/bin:/bin"),
    ],
)
def test_relative_entries_of_path_are_dropped(path: str, kept: str) -> None:
    assert allowed_environment({"PATH": path})["PATH"] == kept


def test_a_missing_path_is_the_system_s() -> None:
    assert allowed_environment({}) == {"PATH": "/usr/local/bin:/usr/bin:/bin"}


def test_only_the_manifest_s_own_indexes_get_their_credentials() -> None:
    ambient = {
        "UV_INDEX_MY_INDEX_USERNAME": "u",
        "UV_INDEX_MY_INDEX_PASSWORD": "p",
        "UV_INDEX_OTHER_PASSWORD": "o",
        "UV_INDEX_URL": "x",
    }
    assert index_credentials(ambient, ["my-index"]) == {
        "UV_INDEX_MY_INDEX_USERNAME": "u",
        "UV_INDEX_MY_INDEX_PASSWORD": "p",
    }
    assert index_credentials(ambient, []) == {}
