"""URLs in a manifest: which are valid, and the message, hint and place of an error in any other."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from reconciler.errors import CREDENTIALS_HINT, DIRECT_CREDENTIALS_HINT
from reconciler.manifest import urls
from reconciler.manifest.invalid_text import InvalidTextError

Validate = Callable[[str], object]
direct = partial(urls.validate_direct_url, offset=4)
SCHEMES = "use one of `https`, `http`, `file`, `git+https`, `git+http`, `git+ssh`, `git+file`"
START = "not a valid index URL: it must start with `https://`, `http://`, `file:///` or `./`"
HOST = "not a host: it must have no scheme, path, wildcard or credentials"
HOSTS = "list each host as `HOST` or `HOST:PORT`, for example `files.index.example`"

VALID: list[tuple[Validate, str, object]] = [
    (urls.validate_index_url, "https://a.example:8080/simple", "https://a.example:8080/simple"),
    (urls.validate_index_url, "http://a.example", "http://a.example"),
    (urls.validate_index_url, "file:///srv/wheels", "file:///srv/wheels"),
    (urls.validate_index_url, "./wheels?x", "./wheels?x"),
    (urls.validate_index_url, "../wheels", "../wheels"),
    (urls.validate_file_host, "Files.Example:443", "files.example:443"),
    (urls.validate_file_host, "[::1]", "[::1]"),
    (direct, "https://a.example/six.whl", None),
    (direct, "HTTPS://a.example/six.whl", None),
    (direct, "GIT+SSH://git@a.example/x", None),
    (direct, "file:///srv/six.whl", None),
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
    (direct, "a b://x", "a direct reference must be a URL", urls.LOCAL_DIRECTORY_HINT, (4, 7)),
    (direct, "://x", "a direct reference must be a URL", urls.LOCAL_DIRECTORY_HINT, (4, 4)),
    (direct, "s3://a/six.whl", "unsupported URL scheme `s3`", SCHEMES, (4, 2)),
    (direct, "file:x", "not an absolute file URL", "write `file:///PATH`", (4, 6)),
    (direct, "SVN+https://a", "unsupported URL scheme `svn+https`", SCHEMES, (4, 9)),
    (direct, "git+file://a", "not an absolute file URL", "write `file:///PATH`", (4, 12)),
    (direct, "https:a", "not a valid URL: `//` is missing after the scheme", "", (4, 7)),
    (direct, "https:/a", "not a valid URL: `//` is missing after the scheme", "", (4, 8)),
]


@pytest.mark.parametrize(("validate", "text", "result"), VALID)
def test_a_valid_url_is_accepted(validate: Validate, text: str, result: object) -> None:
    assert validate(text) == result


@pytest.mark.parametrize(("validate", "text", "message", "hint", "part"), INVALID)
def test_an_invalid_url_has_a_message_a_hint_and_a_place(
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
def test_the_canonical_url_has_only_what_makes_a_difference(url: str, canonical: str) -> None:
    assert urls.canonical_url(url) == canonical


@pytest.mark.parametrize(
    ("url", "plain"),
    [
        ("https://a.example/simple", "https://a.example/simple"),
        ("https://user:pass@a.example/simple", "https://a.example/simple"),
        ("https://token@a.example/simple", "https://a.example/simple"),
        ("https://user:p@ss@a.example:8443/x?y#z", "https://a.example:8443/x?y#z"),
        ("git+https://token@a.example/r.git", "git+https://a.example/r.git"),
        ("git+ssh://git@a.example/r.git", "git+ssh://git@a.example/r.git"),
        ("ssh://git@a.example/r.git", "ssh://git@a.example/r.git"),
        ("git+ssh://git:pass@a.example/r.git", "git+ssh://a.example/r.git"),
        ("https://a.example/a@b", "https://a.example/a@b"),
        ("file:///srv/a@b", "file:///srv/a@b"),
    ],
)
def test_a_plain_url_has_no_credentials(url: str, plain: str) -> None:
    assert urls.plain_url(url) == plain


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("file:///srv/my%20wheels", Path("/srv/my wheels")),
        ("git+file:///srv/my%20app@v1", Path("/srv/my app")),
        ("git+file:///srv/app", Path("/srv/app")),
        ("https://a.example/srv", None),
    ],
)
def test_a_file_url_names_a_path(url: str, path: Path | None) -> None:
    assert urls.path_of_direct_url(url) == path
