"""Which variables of the environment a child gets."""

import pytest

from reconciler.processes.environ import allowed_environment, index_credentials

NOT_ALLOWED = {
    "UV_INDEX_URL": "x", "UV_PROJECT_ENVIRONMENT": "x", "UV_CONFIG_FILE": "x", "PIP_INDEX_URL": "x",
    "PIP_REQUIRE_VIRTUALENV": "1", "PYTHONPATH": "x", "PYTHONSTARTUP": "x", "PYTHONHOME": "x", "VIRTUAL_ENV": "x",
    "CONDA_PREFIX": "x", "LD_PRELOAD": "x", "LD_LIBRARY_PATH": "x", "GIT_DIR": "x", "BASH_ENV": "x", "ENV": "x",
    "AWS_SECRET_ACCESS_KEY": "x", "__PYVENV_LAUNCHER__": "x",
}  # fmt: skip


def test_variables_that_configure_a_tool_are_not_passed_on() -> None:
    assert allowed_environment({**NOT_ALLOWED, "PATH": "/bin"}) == {"PATH": "/bin"}


def test_variables_for_network_compiler_and_locale_are_passed_on() -> None:
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


def test_without_path_the_default_of_the_system_is_used() -> None:
    assert allowed_environment({}) == {"PATH": "/usr/local/bin:/usr/bin:/bin"}


def test_only_credentials_for_indexes_of_the_manifest_are_passed_on() -> None:
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
