"""Every kind of file that others may write, how it is read, and how large it may be."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cache, partial
from pathlib import Path
from typing import Any, TypeAlias

import yaml

from reconciler.errors import ManifestError
from reconciler.fs.read import LIMIT_BYTES
from reconciler.lock.ignore_patterns import parse_ignore_file
from reconciler.lock.lock_file import read_lock
from reconciler.manifest.expand import expand
from reconciler.manifest.input_files import LARGEST_LOCK
from reconciler.manifest.load import load_manifest
from reconciler.manifest.text_file import LARGEST
from reconciler.observe.actual import Depth
from reconciler.observe.environment import observe_environment, observe_path
from reconciler.observe.ignore_globs import ignore_matcher
from reconciler.observe.site import PTH_LIMIT_BYTES
from reconciler.plan import plan_file
from reconciler.plan.document import plan_json
from reconciler.render.error_document import error_json
from reconciler.render.error_text import render_problems
from reconciler.snapshot import file as snapshot_file
from reconciler.state import state_file
from reconciler.state.inode_hashes import InodeHashes
from tests.bounded.sweep import FILLINGS, changes, filled, to_json
from tests.observe.trees import VENV, build, dist_info
from tests.snapshot.worlds import snapshot, worlds

CASES = Path(__file__).parent.parent / "cases"
_MIB = 1024 * 1024
_READ = LIMIT_BYTES  # of a file of an environment


Texts: TypeAlias = Callable[[int], Iterator[tuple[str, Callable[[], str]]]]


@dataclass(frozen=True, slots=True)
class Input:
    """One kind of file: its largest permitted size in bytes, its texts, and the function that reads it.

    `texts` gets a length, and yields for every case its name and a function that returns a text of that length. `read`
    gets an empty directory and the text; it raises an error that a command prints, and no other.
    """

    name: str
    largest: int
    texts: Texts
    read: Callable[[Path, str], object]


def _manifest(directory: Path, text: str) -> None:
    (directory / "envs.yaml").write_text(text, encoding="utf-8")
    try:
        expand(load_manifest(directory / "envs.yaml"))
    except ManifestError as error:
        render_problems(error)
        error_json(error, one_line=False)


def _requirements(directory: Path, text: str) -> None:
    (directory / "requirements.txt").write_text(text, encoding="utf-8")
    keys = "requirements: [requirements.txt], constraints: [requirements.txt]"
    _manifest(directory, f"version: 1\nproject: acme\nenvironments:\n  web: {{python: '3.12', {keys}}}\n")


def _project(name: str) -> Callable[[Path, str], None]:
    def read(directory: Path, text: str) -> None:
        (directory / "pyproject.toml").write_text('[project]\nname = "acme"\nversion = "1"\n')
        (directory / name).write_text(text, encoding="utf-8")
        _manifest(directory, "version: 1\nproject: acme\nenvironments:\n  web: {python: '3.12', project: {}}\n")

    return read


def _lock(directory: Path, text: str) -> None:
    (directory / "pylock.web.toml").write_text(text, encoding="utf-8")
    read_lock(directory / "pylock.web.toml", "web", reach=None)


def _plan(directory: Path, text: str) -> None:
    (directory / "plan.json").write_text(text, encoding="utf-8")
    plan_file.read_plan(directory / "plan.json")


def _snapshot(directory: Path, text: str) -> None:
    (directory / "snapshot.json").write_text(text, encoding="utf-8")
    snapshot_file.read_snapshot(directory / "snapshot.json")


def _state(directory: Path, text: str) -> None:
    path = directory / ".envsync/records/web.json"
    path.parent.mkdir(parents=True)
    path.write_text(text, encoding="utf-8")
    state_file.read_state_file(path, 1, hint=None)


def _installed(name: str) -> Callable[[Path, str], None]:
    """Return a function that observes an environment in which one file has the text."""

    def read(directory: Path, text: str) -> None:
        venv = directory / "venv"
        venv.mkdir()
        build(venv, {**VENV, **dist_info("acme", "1.0")})
        file = venv / name.replace("SITE/", "lib/python3.12/site-packages/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
        for depth in (Depth.METADATA, Depth.FILES):
            observe_environment(venv, name="web", published=None, depth=depth, inodes=InodeHashes())
        observe_path(venv)

    return read


def _ignored(_: Path, text: str) -> None:
    rules = parse_ignore_file(text.encode("utf-8"))
    for path in _LONG_PATHS:
        rules.certainly_match(path)
        rules.possibly_match(path)


def _globs(_: Path, text: str) -> None:
    matches = ignore_matcher([text])
    for path in _LONG_PATHS:
        matches(path)


_LONG_PATHS = ("a/" * 2000 + "b", "/".join(["a" * 250] * 16), "a" * 250)


def _lines(before: str = "", after: str = "") -> Texts:
    """Return texts of one long line, and of many equal lines, with `before` and `after` around what is repeated."""

    def texts(length: int) -> Iterator[tuple[str, Callable[[], str]]]:
        for name in FILLINGS:
            yield name, partial(_one_line, name, before, after, length)
            yield f"lines of {name}", partial(_repeated_line, f"{before}{filled(name, 40)}{after}\n", length)

    return texts


def _one_line(name: str, before: str, after: str, length: int) -> str:
    return before + filled(name, length - len(before) - len(after)) + after


def _repeated_line(line: str, length: int) -> str:
    return line * (length // len(line))


def _changed(document: Callable[[], Any], write: Callable[[Any], str]) -> Texts:
    def texts(length: int) -> Iterator[tuple[str, Callable[[], str]]]:
        for name, make in changes(document(), max(1, length - len(write(document())))):
            yield name, partial(_written, write, make)

    return texts


def _written(write: Callable[[Any], str], make: Callable[[], Any]) -> str:
    return write(make())


@cache
def _every_key() -> Any:
    return yaml.safe_load((CASES / "manifest/good/every-key/envs.yaml").read_text("utf-8"))


def _lock_document() -> Any:
    file = {
        "name": "a-1-py3-none-any.whl",
        "url": "https://a.example/a-1-py3-none-any.whl",
        "size": 1,
        "hashes": {"sha256": "a" * 64},
    }
    return {
        "lock-version": "1.0",
        "environments": ["sys_platform == 'linux'"],
        "requires-python": ">=3.11",
        "extras": ["a"],
        "dependency-groups": ["b"],
        "default-groups": ["b"],
        "created-by": "a tool",
        "packages": [
            {
                "name": "a",
                "version": "1",
                "marker": "os_name == 'posix'",
                "requires-python": ">=3.11",
                "dependencies": [{"name": "b"}],
                "index": "https://a.example/simple",
                "wheels": [file],
                "attestation-identities": [{"kind": "a"}],
                "tool": {"a": "b"},
            },
            {"name": "b", "version": "1", "sdist": {**file, "name": "b-1.tar.gz"}},
            {"name": "c", "directory": {"path": "./c", "editable": True}},
            {"name": "d", "vcs": {"type": "git", "url": "https://a.example/d", "commit-id": "a" * 40}},
            {"name": "e", "archive": {"path": "e-1.tar.gz", "hashes": {"sha256": "a" * 64}}},
        ],
        "tool": {"envsync": {"inputs": "a"}},
    }


def _lock_toml(document: Any) -> str:
    """Return a lock in TOML, one line for each of its keys: JSON with `=` is TOML, if no value is null."""
    return "".join(f"{json.dumps(key)} = {_inline(each)}\n" for key, each in document.items())


def _inline(value: Any) -> str:
    match value:
        case dict():
            return f"{{{', '.join(f'{json.dumps(key)} = {_inline(each)}' for key, each in value.items())}}}"
        case list():
            return f"[{', '.join(map(_inline, value))}]"
        case None:
            return '""'
        case _:
            return to_json(value).replace("\x7f", "")


@cache
def _plan_document() -> Any:
    plans = (replace(each.plan(), root="/srv/acme/.envs") for each in worlds().values())
    return json.loads(max(map(plan_json, plans), key=len))


@cache
def _snapshot_document() -> Any:
    texts = (snapshot_file.snapshot_json(snapshot(each)) for each in worlds().values())
    return json.loads(max(texts, key=len))


def _record() -> Any:
    return {"format": 1, "name": "web", "settings": {"packages": ["a"], "env": {"A": "b"}}, "authentication": "a"}


INPUTS = (
    Input("manifest", LARGEST, _changed(_every_key, to_json), _manifest),
    Input("manifest as lines", LARGEST, _lines("version: 1\nproject: acme\nx: "), _manifest),
    Input("requirements file", LARGEST, _lines(), _requirements),
    Input("requirements file, after a name", LARGEST, _lines("a"), _requirements),
    Input("requirements file, after an option", LARGEST, _lines("--index-url "), _requirements),
    Input("pyproject.toml", LARGEST, _lines(), _project("pyproject.toml")),
    Input("pyproject.toml, a key", LARGEST, _lines("", " = 1"), _project("pyproject.toml")),
    Input("pyproject.toml, a list", LARGEST, _lines("a = [", "]"), _project("pyproject.toml")),
    Input("setup.cfg", LARGEST, _lines("[metadata]\nname = "), _project("setup.cfg")),
    Input("setup.py", LARGEST, _lines(), _project("setup.py")),
    Input("lock", LARGEST_LOCK, _changed(_lock_document, _lock_toml), _lock),
    Input("lock as lines", LARGEST_LOCK, _lines('lock-version = "1.0"\n'), _lock),
    Input("saved plan", plan_file.LARGEST, _changed(_plan_document, to_json), _plan),
    Input("snapshot", snapshot_file.LARGEST_BYTES, _changed(_snapshot_document, to_json), _snapshot),
    Input("state file", state_file.LARGEST, _changed(_record, to_json), _state),
    Input("ignore file", LARGEST, _lines(), _ignored),
    Input("a pattern of ignore_files", LARGEST // 16, _lines(), _globs),
    *(
        Input(f"{name} in an environment", largest, _lines(before), _installed(name))
        for name, largest, before in (
            ("pyvenv.cfg", _MIB, "home = "),
            ("pyvenv.cfg", _MIB, ""),
            ("bin/activate", _MIB, ""),
            ("bin/activate", _MIB, "VIRTUAL_ENV="),
            ("bin/script", _MIB, "#!"),
            ("SITE/acme.pth", PTH_LIMIT_BYTES, ""),
            ("SITE/acme-1.0.dist-info/METADATA", _READ, "Name: acme\nVersion: 1.0\nRequires-Dist: "),
            ("SITE/acme-1.0.dist-info/METADATA", _READ, "Name: acme\nVersion: "),
            ("SITE/acme-1.0.dist-info/METADATA", _READ, ""),
            ("SITE/acme-1.0.dist-info/RECORD", _READ, ""),
            ("SITE/acme-1.0.dist-info/RECORD", _READ, '"'),
            ("SITE/acme-1.0.dist-info/direct_url.json", _READ, '{"url": "'),
            ("SITE/acme-1.0.dist-info/INSTALLER", _READ, ""),
            ("SITE/acme-1.0.dist-info/entry_points.txt", _READ, "[console_scripts]\n"),
            ("SITE/old.egg-info/requires.txt", _READ, "["),
            ("SITE/legacy.egg-link", _READ, ""),
        )
    ),
)
