"""Observation and freeze end with a result for any bytes in the files that they read."""

from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.canonical_json import digest
from reconciler.observe.actual import Depth
from reconciler.observe.environment import observe_environment, observe_path
from reconciler.observe.freeze import freeze_lines
from reconciler.state.inode_hashes import InodeHashes
from reconciler.state.inventory_file import save_inventory
from reconciler.state.inventory_scan import take_inventory
from reconciler.state.published_generation import PublishedGeneration
from tests.observe.trees import HOME, VENV, build, dist_info

READ = (
    "pyvenv.cfg",
    "bin/activate",
    "bin/tool",
    "SITE/acme-1.0.dist-info/METADATA",
    "SITE/acme-1.0.dist-info/RECORD",
    "SITE/acme-1.0.dist-info/direct_url.json",
    "SITE/acme-1.0.dist-info/INSTALLER",
    "SITE/egg-1.0.egg-info",
    "SITE/linked.egg-link",
    "SITE/a.pth",
    "src/.git/config",
    "src/.git/HEAD",
    "src/.git/packed-refs",
)
_SNIPPETS = st.sampled_from(
    [b"\n", b"\r\n", b"\0", b"=", b"home = /x", b"Name: x", b"Version:", b'"', b",", b"{", b"}", b"\xff", b"/", b"..",
     b"ref: refs/heads/x", b"[remote ", b'"origin"]', b"url = ", b"\\", b"import ",
     b"bin/python", b"#!/", b"VIRTUAL_ENV=/x"]
)  # fmt: skip
CONTENT = st.one_of(st.binary(max_size=60), st.lists(_SNIPPETS, max_size=12).map(b"".join))
NAMES = st.text(st.characters(exclude_characters="/\0", codec="utf-8"), min_size=1, max_size=12).filter(
    lambda name: name not in {".", ".."}
)


@settings(max_examples=60)
@given(contents=st.dictionaries(st.sampled_from(READ), CONTENT), names=st.lists(NAMES, max_size=4))
def test_any_contents_of_any_file(contents: dict[str, bytes], names: list[str]) -> None:
    with TemporaryDirectory() as directory:
        venv = Path(directory) / "venv"
        build(venv, {**VENV, **dist_info("acme", "1.0")})
        editable = f'{{"url": "file://{venv}/src", "dir_info": {{"editable": true}}}}'
        build(venv, {"src/.git/objects": {"directory": True}, "src/.git/refs": {"directory": True}})
        build(venv, dist_info("edit", "1.0") | {"SITE/edit-1.0.dist-info/direct_url.json": editable})
        inventory = Path(directory) / "inventory"
        save_inventory(take_inventory(venv, InodeHashes()), inventory)
        for name, content in contents.items():
            build(venv, {name: {"hex": content.hex()}})
        for number, name in enumerate(names):
            build(
                venv, {f"SITE/{name}{('.dist-info', '-1.0.dist-info', '.egg-info', '')[number]}/METADATA": "Name: x\n"}
            )
        published = PublishedGeneration(
            generation=1, venv=venv, inventory=inventory, seal="", home=HOME, system_site_packages=False
        )
        for depth in (Depth.FILES, Depth.HASHES):
            seen = observe_environment(
                venv, name="web", published=published, depth=depth, inodes=InodeHashes(), ignore_files=["*.log"]
            )
            assert digest(seen)
        assert freeze_lines(observe_path(venv), all=True, exclude=(), exclude_editable=False)
