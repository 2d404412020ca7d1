"""Builds the small environments that cases under tests/cases/observe describe.

An entry is text (a file), a mapping (`link`, `hex`, `directory`, `fifo`, `mode`, `times`), or null (remove it).
`SITE/` means `lib/python3.12/site-packages/`, `@ENV@` in text and links for the environment's absolute path.
"""

import os
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from reconciler.observe.actual import ActualEnvironment, Depth
from reconciler.observe.environment import observe_environment
from reconciler.state.inode_hashes import InodeHashes
from reconciler.state.inventory_file import save_inventory
from reconciler.state.inventory_scan import take_inventory
from reconciler.state.published_generation import PublishedGeneration

HOME = str(Path(sys.base_prefix) / "bin")
VENV: Mapping[str, Any] = {
    "pyvenv.cfg": f"home = {HOME}\ninclude-system-site-packages = false\nversion = 3.12.1\n",
    "bin/python": {"link": str(Path(sys.executable).resolve())},
    "lib/python3.12/site-packages": {"directory": True},
}


def dist_info(name: str, version: str) -> dict[str, Any]:
    """Return the entries of a healthy distribution with one module."""
    info = f"SITE/{name}-{version}.dist-info"
    record = f"{name}.py,,\n{name}-{version}.dist-info/METADATA,,\n{name}-{version}.dist-info/RECORD,,\n"
    return {
        f"SITE/{name}.py": f"VERSION = {version!r}\n",
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n\nAbout it.\n",
        f"{info}/RECORD": record,
    }


def build(top: Path, tree: Mapping[str, Any]) -> None:
    """Make the entries of `tree` below `top`."""
    for name, wanted in tree.items():
        path = top / name.replace("SITE/", "lib/python3.12/site-packages/")
        path.parent.mkdir(parents=True, exist_ok=True)
        if wanted is None:
            remove(path)
        elif isinstance(wanted, str):
            remove(path)
            path.write_text(wanted.replace("@ENV@", str(top)), encoding="utf-8", newline="")
        else:
            _special(top, path, wanted)


def _special(top: Path, path: Path, wanted: Mapping[str, Any]) -> None:
    if "link" in wanted:
        remove(path)
        path.symlink_to(wanted["link"].replace("@ENV@", str(top)))
    elif "directory" in wanted:
        path.mkdir(exist_ok=True)
    elif "hex" in wanted:
        path.write_bytes(bytes.fromhex(wanted["hex"]))
    elif "fifo" in wanted:
        os.mkfifo(path)
    if "mode" in wanted:
        path.chmod(int(str(wanted["mode"]), 8))
    if "times" in wanted:
        os.utime(path, (wanted["times"], wanted["times"]))


def remove(path: Path) -> None:
    """Remove the file or directory at `path`, if there is one."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def observe_case(root: Path, case: Mapping[str, Any]) -> ActualEnvironment:
    """Build the environment of a case, make the changes of the case, and observe it."""
    depth = Depth(case.get("depth", "metadata"))
    inodes = InodeHashes()
    path = root / "web"
    if case.get("at") == "path":
        build(root, {f"web/{name}" if name else "web": wanted for name, wanted in case["tree"].items()})
        return observe_environment(path, name="web", published=None, depth=depth, inodes=inodes)
    generation = root / ".envsync/generations/web/1"
    venv = generation / "venv"
    venv.mkdir(parents=True)
    build(venv, VENV)
    for text in case.get("packages", ()):
        build(venv, dist_info(*text.split("==")))
    build(venv, case.get("tree", {}))
    path.symlink_to(".envsync/generations/web/1/venv")
    save_inventory(take_inventory(venv, inodes), generation / "inventory")
    inodes.begin_pass()
    build(venv, case.get("then", {}))
    build(generation, case.get("then_beside", {}))
    unreadable = case.get("unreadable", {})
    published = PublishedGeneration(
        generation=1,
        venv=venv,
        inventory=generation / "inventory",
        seal="sha256:0" if case.get("sealed", True) and not unreadable else "",
        home=HOME,
        system_site_packages=False,
        access=int(case.get("access", "0"), 8),
        unreadable=unreadable.get("message", ""),
        damaged=unreadable.get("damaged", False),
    )
    return observe_environment(
        path,
        name="web",
        published=published,
        depth=depth,
        inodes=inodes,
        ignore_files=case.get("ignore_files", ()),
    )
