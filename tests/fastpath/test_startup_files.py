"""The fast path hides nothing that Python runs at every start, also if it is edited in place at depth `metadata`."""

import pytest

from reconciler.observe.actual import Depth
from tests.fastpath.test_same_answer_as_the_full_program import full, quick
from tests.host import Host
from tests.wheels import make_wheel

WEB = 'web:\n  python: "3.11"\n  packages: [starter]\n  link_mode: copy\n'
FILES = ["starter.pth", "sitecustomize.py", "usercustomize/__init__.py"]


@pytest.mark.parametrize("name", FILES)
def test_a_startup_file_that_is_edited_in_place_is_found(host: Host, name: str) -> None:
    make_wheel(host.index.directory, "starter", "1.0", modules=dict.fromkeys(FILES, "import os\n"))
    host.manifest(WEB)
    host.apply()
    assert not full(host)
    assert quick(host, Depth.METADATA) == 1
    file = host.site_packages("web") / name
    directory = file.parent.stat().st_ctime_ns
    file.write_text("import re\n")
    assert file.parent.stat().st_ctime_ns == directory
    assert quick(host, Depth.METADATA) == 0
    assert host.envsync("check", "--depth", "metadata").code == 2


@pytest.mark.parametrize("name", ["sitecustomize.so", "usercustomize/__init__.so", "bin/python._pth"])
def test_a_startup_file_that_is_added_is_found(host: Host, name: str) -> None:
    make_wheel(host.index.directory, "starter", "1.0", modules={"usercustomize/data.txt": ""})
    host.manifest(WEB)
    host.apply()
    assert not full(host)
    assert quick(host, Depth.METADATA) == 1
    (host.venv("web") / name if name.startswith("bin/") else host.site_packages("web") / name).write_text("")
    assert quick(host, Depth.METADATA) == 0
    assert host.envsync("check", "--depth", "metadata").code == 2


def test_an_environment_whose_pth_file_names_a_directory_that_may_be_made_later_has_no_agreement(host: Host) -> None:
    modules = {"starter.pth": "inside/later\n", "inside/__init__.py": ""}
    make_wheel(host.index.directory, "starter", "1.0", modules=modules)
    host.manifest(WEB)
    host.apply()
    assert not full(host)
    later = host.site_packages("web") / "inside/later"
    later.mkdir()
    (later / "sitecustomize.py").write_text("")
    assert quick(host, Depth.METADATA) == 0
    assert host.envsync("check", "--depth", "metadata").code == 2
