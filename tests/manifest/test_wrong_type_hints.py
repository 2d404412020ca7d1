"""What a hint says to write instead of a value of the wrong type: the same content in the form that its key has."""

from typing import Any

import pytest

from reconciler.manifest.source_text import KeyPath
from reconciler.manifest.written_matrix import misspelt_key, unusable_keys
from reconciler.manifest.wrong_type_hints import rewritten, scalar
from reconciler.manifest.yaml_document import Value

MANY = tuple(f"a{each}" for each in range(51))


def frozen(value: Any) -> Any:
    """Return a value as YAML is read: lists are tuples."""
    if isinstance(value, list | tuple):
        return tuple(map(frozen, value))
    return {key: frozen(each) for key, each in value.items()} if isinstance(value, dict) else value


@pytest.mark.parametrize(
    ("key", "found", "expected"),
    [
        ("packages", "django six", ("packages", ["django", "six"])),
        ("packages", {"django": "4.2", "six": "*"}, ("packages", ["django==4.2", "six"])),
        ("packages", ["six", {"django": ">=4"}], ("packages", ["six", "django>=4"])),
        ("packages", [{"name": "django", "version": "4.2"}], ("packages", ["django==4.2"])),
        ("packages", [{"name": "django"}], ("packages", ["django"])),
        ("packages", {"django": {"version": "4.2", "extras": ["argon2"]}}, ("packages", ["django[argon2]==4.2"])),
        ("packages", ["six", {"pip": ["django", "idna"]}], ("packages", ["six", "django", "idna"])),
        ("packages", {"django": ["4.2"]}, None),
        ("packages", [1], None),
        ("packages", list(MANY), None),
        ("packages", "a" * 500, None),
        ("overrides", "django==4.2", ("overrides", ["django==4.2"])),
        ("requirements", "-r a.txt\n b.txt,", ("requirements", ["a.txt", "b.txt"])),
        ("constraints", "-c a.txt", ("constraints", ["a.txt"])),
        ("depends_on", "api, job", ("depends_on", ["api", "job"])),
        ("extends", "base", ("extends", ["base"])),
        ("ignore", "six", ("ignore", ["six"])),
        ("env", ["A=1", {"B": 2}], ("env", {"A": "1", "B": "2"})),
        ("env", "export A='x y'\nB: 2", ("env", {"A": "x y", "B": "2"})),
        ("env", ["yes"], None),
        ("env", ["a.b=1"], None),
        ("env", [1], None),
        ("labels", ["team=a", "web"], ("labels", {"team": "a", "web": "yes"})),
        ("labels", ["a b"], None),
        ("project", "app", ("project", {"path": "app"})),
        ("project", True, ("project", {"path": "."})),
        ("project", False, None),
        ("lock", "uv.lock", ("lock", {"from": "uv.lock"})),
        ("builds", True, ("builds", "allow")),
        ("builds", False, ("builds", "deny")),
        ("prerelease", True, ("prerelease", "allow")),
        ("prerelease", False, ("prerelease", "disallow")),
        ("probes", {"import": "six"}, ("probes", [{"import": "six"}])),
        ("probes", "import django.db", ("probes", [{"import": "django.db"}])),
        (
            "probes",
            ["pip check", "gunicorn --check 'a b'"],
            ("probes", ["dependencies", {"run": ["gunicorn", "--check", "a b"]}]),
        ),
        ("probes", ["gunicorn 'a"], ("probes", [{"run": ["gunicorn", "'a"]}])),
        ("probes", ["six", ""], None),
        ("probes", [{"import": "six"}, "dependencies"], None),
        ("health", "curl -f localhost", ("health", {"run": ["curl", "-f", "localhost"]})),
        ("health", ["curl", "localhost"], ("health", {"run": ["curl", "localhost"]})),
        ("health", ["curl", 1], None),
        ("matrix", ["3.11", "3.12"], ("matrix", {"python": ["3.11", "3.12"]})),
        ("matrix", "3.11, 3.12", ("matrix", {"python": ["3.11", "3.12"]})),
        ("python", "3.12", ("python", "3.12")),
        ("python", ["3.12"], ("python", "3.12")),
        ("python", ["3.11", "3.12"], ("matrix", {"python": ["3.11", "3.12"]})),
        ("python", {"version": "3.12"}, ("python", "3.12")),
        ("python", {}, None),
        ("python", [], None),
        ("python", [["3.12"]], None),
        ("description", ["a"], None),
    ],
)
def test_a_value_of_an_environment_is_rewritten(key: str, found: Any, expected: tuple[str, Any] | None) -> None:
    manifest = frozen({"environments": {"web": {key: found}}})
    written = rewritten(("environments", "web", key), manifest, {})
    assert written == (expected and frozen(expected))


def test_an_invalid_item_rewrites_the_whole_list_and_numbers_are_as_they_were_written() -> None:
    manifest: Value = {"environments": {"web": {"matrix": (3.1, 3.11), "python": 3.1}}}
    path: KeyPath = ("environments", "web", "matrix")
    written: dict[KeyPath, str] = {(*path, 0): "3.10", (*path, 1): "3.11"}
    assert rewritten((*path, 0), manifest, written) == ("matrix", {"python": ("3.10", "3.11")})
    manifest = {"environments": {"web": {"python": (3.1, 3.11), "matrix": {}}}}
    assert rewritten(("environments", "web", "python"), manifest, {}) is None, "it has a matrix already"
    manifest = {"environments": {"web": {"python": {"version": 3.1}}}}
    place: KeyPath = ("environments", "web", "python")
    assert rewritten(place, manifest, {(*place, "version"): "3.10"}) == ("python", "3.10")


@pytest.mark.parametrize(
    ("path", "value", "expected"),
    [
        (("environments",), [{"name": "web", "python": "3.12"}], ("environments", {"web": {"python": "3.12"}})),
        (("templates",), [{"base": {"python": "3.12"}}], ("templates", {"base": {"python": "3.12"}})),
        (("environments",), [{"name": "no such name"}], None),
        (("environments",), [{"name": "web"}, {"name": "no such name"}], None),
        (("environments",), [{"python": "3.12"}], None),
        (("environments",), ["web"], None),
        (("environments", "web"), ["django", {"six": "1.0"}], ("web", {"packages": ["django", "six==1.0"]})),
        (("environments", "web"), "django", None),
        (
            ("indexes",),
            "https://a.example/simple",
            ("indexes", [{"name": "a-example", "url": "https://a.example/simple"}]),
        ),
        (("indexes",), ["a.example"], None),
        (("indexes",), [{"name": "a"}], None),
        (("indexes",), 1, None),
        (("indexes",), {"a": "https://a.example"}, ("indexes", [{"name": "a", "url": "https://a.example"}])),
        (
            ("indexes",),
            {"name": "a", "url": "https://a.example"},
            ("indexes", [{"name": "a", "url": "https://a.example"}]),
        ),
        (
            ("indexes",),
            ["https://u:p@a.example:8080/x"],
            ("indexes", [{"name": "a-example", "url": "https://u:p@a.example:8080/x"}]),
        ),
        (
            ("environments", "web", "hooks", "after_publish"),
            "true\n\nfalse x",
            ("after_publish", [["true"], ["false", "x"]]),
        ),
        (
            ("environments", "web", "hooks", "before_delete"),
            ["systemctl", "stop"],
            ("before_delete", [["systemctl", "stop"]]),
        ),
        (
            ("environments", "web", "hooks", "before_delete"),
            ["stop web", "stop api"],
            ("before_delete", [["stop", "web"], ["stop", "api"]]),
        ),
        (("environments", "web", "hooks", "before_delete"), [["stop"]], None),
        (("environments", "web", "hooks", "on_failure"), "true", None),
        (("environments", "web", "project", "extras"), "a b", ("extras", ["a", "b"])),
        (("environments", "web", "project", "path"), ["a"], None),
        (("environments", "web", "matrix", "variant", "gpu", "packages"), "torch", ("packages", ["torch"])),
        (("environments", "web", "matrix", "variant", "packages"), "torch", None),  # it is a name here
        (("environments", "web", "matrix", "variant"), "gpu", None),
        ((0,), [], None),
    ],
)
def test_a_value_elsewhere_is_rewritten(path: tuple[str, ...], value: Any, expected: tuple[str, Any] | None) -> None:
    manifest = frozen(value)
    for key in reversed(path):
        manifest = {key: manifest}
    found = rewritten(path, manifest, {})
    assert found == (expected and frozen(expected))


@pytest.mark.parametrize(
    ("expected", "found", "text"),
    [
        ("a whole number", " 12 ", "12"),
        ("a whole number", "1.5", ""),
        ("a whole number", "1" * 10, ""),
        ("a whole number", 3.0, "3"),
        ("a whole number", 3.5, ""),
        ("`true` or `false`", "Yes", "true"),
        ("`true` or `false`", 1, "true"),
        ("`true` or `false`", "off", "false"),
        ("`true` or `false`", "maybe", ""),
        ("text", "12", ""),
    ],
)
def test_a_scalar_is_what_the_value_means(expected: str, found: object, text: str) -> None:
    assert scalar(expected, found) == text


@pytest.mark.parametrize(
    ("axis", "key"),
    [
        ("py", "python"),
        ("python-version", "python"),
        ("pyhton", "python"),
        ("exclud", "exclude"),
        ("if_availble", "if_available"),
        ("os", ""),
        ("variant", ""),
    ],
)
def test_an_axis_may_be_a_misspelt_key(axis: str, key: str) -> None:
    assert misspelt_key(axis) == key


def test_keys_of_a_matrix_that_cannot_be_axes() -> None:
    assert unusable_keys({"include": (), "fail-fast": True, "python": (), "exclude": (), "os": ("a",)}) == [
        "include",
        "fail-fast",
    ]
    assert unusable_keys({"pyhton": "3.12"}) == ["pyhton"]
    assert unusable_keys({"pyhton": ({"os": "a"},)}) == ["pyhton"]
    assert unusable_keys({"pyhton": ("3.12",), "py": {"a": {}}}) == [], "they are axes"
    assert unusable_keys("python") == []
