"""URLs and paths in a manifest: which are valid, and the message, hint and place of an error in any other."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from reconciler.errors import CREDENTIALS_HINT, DIRECT_CREDENTIALS_HINT
from reconciler.manifest import paths, urls
from reconciler.manifest.invalid_text import InvalidTextError

Validate = Callable[[str], object]
direct = partial(urls.validate_direct_url, offset=4)
allowed = partial(paths.validate_allowed_path, directory=Path("/srv/acme"))
RELATIVE = "write a path relative to the manifest"
ALLOWED = "write an absolute path, or a path relative to the manifest"
SCHEMES = "use one of `https`, `http`, `file`, `git+https`, `git+http`, `git+ssh`, `git+file`"
START = "not a valid index URL: it must start with `https://`, `http://`, `file:///` or `./`"
HOST = "not a host: it must have no scheme, path, wildcard or credentials"
HOSTS = "list each host as `HOST` or `HOST:PORT`, for example `files.index.example`"
LOCK = "write the path of a `uv.lock`, `poetry.lock`, `pdm.lock`, `pylock.toml` or `pylock.NAME.toml`"

VALID: list[tuple[Validate, str, object]] = [
    (urls.validate_index_url, "https://a.example:8080/simple", "https://a.example:8080/simple"),
    (urls.validate_index_url, "http://a.example", "http://a.example"),
    (urls.validate_index_url, "file:///srv/wheels", "file:///srv/wheels"),
    (urls.validate_index_url, "./wheels?x", "./wheels?x"),
    (urls.validate_index_url, "../wheels", "../wheels"),
    (urls.validate_file_host, "Files.Example:443", "files.example:443"),
    (urls.validate_file_host, "[::1]", "[::1]"),
    (direct, "https://a.example/six.whl", None),
    (direct, "GIT+SSH://git@a.example/x", None),
    (direct, "file:///srv/six.whl", None),
    (paths.validate_path, "a" * 4096, "a" * 4096),
    (paths.validate_path, "a\\b c/d", "a\\b c/d"),
    (paths.validate_lock_directory, "../locks", "../locks"),
    (paths.validate_project_path, ".", "."),
    (paths.validate_file_path, "/srv/a.txt", "/srv/a.txt"),
    (paths.validate_lock_source, "sub/pylock.web.toml", "sub/pylock.web.toml"),
    (allowed, "../wheels", "../wheels"),
    (allowed, "/dev/shm/x", "/dev/shm/x"),  # noqa: S108
]
# The offset and the width of the part that is wrong, without an offset if it is all of the text.
INVALID: list[tuple[Validate, str, str, str, tuple[int | None, int]]] = [
    (urls.validate_index_url, "https://u:p@a.example", "credentials in a URL", CREDENTIALS_HINT, (0, 21)),
    (urls.validate_index_url, "https://${X}/y", "environment variables are not expanded in URLs", "", (8, 2)),
    (urls.validate_index_url, "https://[a/y", "not a valid URL: Invalid IPv6 URL", "", (None, 1)),
    (urls.validate_index_url, "https://a:b/y", "not a valid URL: the port must be a number", "", (None, 1)),
    (urls.validate_index_url, "https://a:99999/y", "not a valid URL: Port out of range 0-65535", "", (None, 1)),
    (urls.validate_index_url, "ftp://a.example", START, "", (None, 1)),
    (urls.validate_index_url, "//a.example", START, "", (None, 1)),
    (urls.validate_index_url, "/srv/x", START, "write `file:///srv/x`", (None, 1)),
    (
        urls.validate_index_url,
        "a.example",
        START,
        "write `./a.example` for a directory, or `https://a.example` for a server",
        (None, 1),
    ),
    (urls.validate_index_url, "file://a/b", "not an absolute file URL", "write `file:///PATH`", (None, 1)),
    (urls.validate_index_url, "file:a", "not an absolute file URL", "write `file:///PATH`", (None, 1)),
    (urls.validate_index_url, "https:///x", "not a valid URL: the host is missing", "", (None, 1)),
    *(
        (
            urls.validate_index_url,
            text,
            "an index URL must not have a query or fragment",
            "remove everything after `?` or `#`",
            (None, 1),
        )
        for text in ("https://a.example/?x", "https://a.example/#x")
    ),
    (urls.validate_index_url, "https://a.example/x y", "not a valid URL: it contains white space", "", (None, 1)),
    (urls.validate_file_host, "https://u@A.example/x", HOST, "write `A.example`", (None, 1)),
    (urls.validate_file_host, "*.example", HOST, HOSTS, (None, 1)),
    (direct, "https://u:p@a.example", "credentials in a URL", DIRECT_CREDENTIALS_HINT, (4, 21)),
    (direct, "https://a/${X}", "environment variables are not expanded in URLs", "", (14, 2)),
    (direct, "../x", "a direct reference must be a URL", urls.LOCAL_DIRECTORY_HINT, (4, 4)),
    (direct, "1a:b", "a direct reference must be a URL", urls.LOCAL_DIRECTORY_HINT, (4, 4)),
    (direct, "SVN+https://a", "unsupported URL scheme `svn+https`", SCHEMES, (4, 9)),
    (direct, "git+file://a", "not an absolute file URL", "write `file:///PATH`", (4, 12)),
    (direct, "https:/a", "not a valid URL: `//` is missing after the scheme", "", (4, 8)),
    (paths.validate_path, " ", "the path is empty", RELATIVE, (None, 1)),
    (paths.validate_path, "a" * 4097, "the path has more than 4,096 characters", "correct the path", (None, 1)),
    (paths.validate_path, "~/x", "`~` is not expanded in paths", RELATIVE, (None, 1)),
    (paths.validate_path, "C:/x", "a Windows path, but envsync does not run on Windows", RELATIVE, (None, 1)),
    (paths.validate_path, "a\\b", "`\\` does not separate directories", "did you mean `a/b`?", (None, 1)),
    (paths.validate_path, "a/$X", "variables are not expanded in paths", RELATIVE, (2, 1)),
    (paths.validate_lock_directory, "", "the path is empty", f"{RELATIVE}, for example `locks`", (None, 1)),
    (paths.validate_lock_directory, "/a", "must be a relative path", f"{RELATIVE}, for example `locks`", (None, 1)),
    (paths.validate_project_path, "/a", "must be a relative path", f"{RELATIVE}, for example `.`", (None, 1)),
    (paths.validate_file_path, "https://a/b", "must be a file, not a URL", paths.DOWNLOAD_HINT, (None, 1)),
    (paths.validate_file_path, "-r a", "must be a file, not an option", "write only the path of the file", (None, 1)),
    (paths.validate_file_path, "~/a", "`~` is not expanded in paths", RELATIVE, (None, 1)),
    (paths.validate_lock_source, "https://a/uv.lock", "must be a file, not a URL", paths.DOWNLOAD_HINT, (None, 1)),
    (paths.validate_lock_source, "uv.lock/x", "not the name of a lock", LOCK, (None, 1)),
    (allowed, "", "the path is empty", ALLOWED, (None, 1)),
    (allowed, "file:///srv", "must be a directory, not a URL", ALLOWED, (None, 1)),
    (
        allowed,
        "../..",
        "must not be `/`, which contains every file of the machine",
        "write the directory that has the files",
        (None, 1),
    ),
    *(
        (allowed, text, "must not be below `/proc`, `/sys` or `/dev`", "remove it", (None, 1))
        for text in ("/proc/self", "/sys", "/dev")
    ),
]


@pytest.mark.parametrize(("validate", "text", "result"), VALID)
def test_a_valid_url_or_path_is_accepted(validate: Validate, text: str, result: object) -> None:
    assert validate(text) == result


@pytest.mark.parametrize(("validate", "text", "message", "hint", "part"), INVALID)
def test_an_invalid_url_or_path_has_a_message_a_hint_and_a_place(
    validate: Validate, text: str, message: str, hint: str, part: tuple[int | None, int]
) -> None:
    with pytest.raises(InvalidTextError) as caught:
        validate(text)
    error = caught.value
    assert (error.message, error.hint, (error.offset, error.width)) == (message, hint, part)


@pytest.mark.parametrize(
    ("url", "canonical"),
    [
        ("https://u:p@A.Example:443/Simple//", "https://a.example/Simple"),
        ("http://a.example:80/", "http://a.example"),
        ("https://a.example:80", "https://a.example:80"),
        ("ftp://a.example:/x", "ftp://a.example/x"),
        ("https://u:p@[x/simple", "https://****@[x/simple"),
    ],
)
def test_urls_are_compared_without_what_makes_no_difference(url: str, canonical: str) -> None:
    assert urls.canonical_url(url) == canonical


@pytest.mark.parametrize(
    ("url", "plain"),
    [
        ("https://a.example/x", "https://a.example/x"),
        ("https://u:p@a.example/x", "https://a.example/x"),
        ("https://git@a.example/x", "https://a.example/x"),
        ("git+ssh://git@a.example/x", "git+ssh://git@a.example/x"),
        ("git+ssh://git:p@a.example/x", "git+ssh://a.example/x"),
    ],
)
def test_a_plain_url_has_no_credentials(url: str, plain: str) -> None:
    assert urls.plain_url(url) == plain


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("file:///srv/my%20wheels", "/srv/my wheels"),
        ("git+file:///srv/my%20app@v1", "/srv/my app"),
        ("git+file:///srv/app", "/srv/app"),
        ("https://a.example/srv", None),
    ],
)
def test_a_file_url_names_a_path(url: str, path: str | None) -> None:
    assert urls.path_of_direct_url(url) == (path and Path(path))


@pytest.mark.parametrize(
    ("path", "found"), [("..", True), ("../x", True), ("a/../../x", True), ("..x", False), ("a/..", False)]
)
def test_a_path_escapes_if_it_ends_above_its_start(path: str, *, found: bool) -> None:
    assert paths.escapes(path) is found
