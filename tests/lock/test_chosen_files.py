"""Of the files of one version, the one is chosen that uv and pip choose: random sets of files, compared with both."""

import json
import os
import random
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from packaging.pylock import PackageSdist, PackageWheel
from uv import find_uv_bin

from reconciler.engines.uv import UvEngine
from reconciler.interpreters.model import Interpreter
from reconciler.lock.model import Artifact
from reconciler.lock.select import select_artifacts
from reconciler.lock.wheel_order import tags_in_order
from reconciler.manifest.desired import Index
from tests.index import serve_index
from tests.lock.test_select import INTERPRETER, lock_of, package
from tests.lock.workbench import Workbench, requiring
from tests.wheels import make_sdist, make_wheel

PACKAGES = 20
SEEDS = range(max(1, int(os.environ.get("EXAMPLES", "100")) // 100))
BUILDS = ("", "", "1-", "2-", "10-", "1a-")
FOREIGN = (
    "cp312-cp312-manylinux_2_17_x86_64",
    "cp311-cp311-win_amd64",
    "py2-none-any",
    "cp313-abi3-manylinux_2_17_x86_64",
)

# What pip's own search chooses, for all packages in one process.
OF_PIP = """
import json, sys
from pip._internal.index.collector import LinkCollector
from pip._internal.index.package_finder import PackageFinder
from pip._internal.models.search_scope import SearchScope
from pip._internal.models.selection_prefs import SelectionPreferences
from pip._internal.models.target_python import TargetPython
from pip._internal.network.session import PipSession
from pip._vendor.packaging.specifiers import SpecifierSet

scope = SearchScope.create(find_links=[], index_urls=[sys.argv[1]], no_index=False)
finder = PackageFinder.create(
    link_collector=LinkCollector(session=PipSession(), search_scope=scope),
    selection_prefs=SelectionPreferences(allow_yanked=True),
    target_python=TargetPython(),
)
best = {name: finder.find_best_candidate(name, SpecifierSet("==1.0")).best_candidate for name in sys.argv[2:]}
print(json.dumps({name: found.link.filename for name, found in best.items()}))
"""


def tags_of(interpreter: Interpreter, *, linux: bool) -> list[str]:
    """Return tags that the interpreter accepts, of every kind; plain `linux` only if requested."""
    found = [each for each in interpreter.tags if linux or not each.rpartition("-")[2].startswith("linux_")]
    exact = [each for each in found if each.split("-")[1].startswith("cp3")]
    stable = [each for each in found if each.split("-")[1] == "abi3"]
    plain = [each for each in found if each.endswith("-any")]
    chosen = [*exact[:4], *exact[-2:], *stable[:3], *stable[-2:], *plain[:4], "py2.py3-none-any"]
    first, second = exact[0].rpartition("-"), exact[1].rpartition("-")
    return [*chosen, f"{first[0]}-{first[2]}.{second[2]}"]


def name_of(artifact: Artifact) -> str:
    assert isinstance(artifact, PackageWheel | PackageSdist)
    return artifact.filename


@pytest.mark.parametrize("seed", SEEDS)
def test_the_chosen_file_is_that_of_uv_and_pip(seed: int, tmp_path: Path, interpreter: Interpreter) -> None:
    draw, wheels = random.Random(seed), tmp_path / "wheels"  # noqa: S311 - the same files in every run
    names = [f"p{number}" for number in range(PACKAGES)]
    for number, name in enumerate(names):
        usable = tags_of(interpreter, linux=number % 2 == 0)  # pip 26.3 and uv differ about plain `linux`
        drawn = [draw.choice(usable if draw.random() < 0.75 else FOREIGN) for _ in range(draw.randint(1, 6))]
        for tag in drawn:
            built = draw.choice(BUILDS) + tag
            content = {f"{name}_file.py": f"{name}-1.0-{built}.whl"}
            make_wheel(wheels, name, "1.0", tag=built, modules=content)
        if set(drawn) <= set(FOREIGN):
            make_wheel(wheels, name, "1.0", modules={f"{name}_file.py": f"{name}-1.0-py3-none-any.whl"})
        if draw.random() < 0.4:
            make_sdist(wheels, name, "1.0")
    make_wheel(wheels, "built", "1.0", tag=FOREIGN[0])
    make_sdist(wheels, "built", "1.0")
    with serve_index(wheels) as index:
        engine = UvEngine(ambient=dict(os.environ), cache=tmp_path / "cache")
        indexes = (Index(name="local", url=index.url),)
        bench = Workbench(directory=tmp_path, engine=engine, interpreter=interpreter, indexes=indexes)
        pins = [f"{name}==1.0" for name in (*names, "built")]
        lock = bench.resolve(replace(requiring(*pins), python=interpreter.series))
        chosen = {str(each.name): name_of(artifact) for each, artifact in select_artifacts(lock, interpreter)}
        assert chosen.pop("built") == "built-1.0.tar.gz"

        target = tmp_path / "installed"
        uv = [find_uv_bin(), "--no-config", "--cache-dir", str(tmp_path / "other-cache"), "pip", "install", "-q"]
        where = ["--no-deps", "-p", interpreter.path, "--target", str(target), "--default-index", index.url]
        subprocess.run([*uv, *where, *pins[:-1]], check=True, capture_output=True, timeout=120)
        assert chosen == {name: (target / f"{name}_file.py").read_text() for name in names}

        without_linux = names[1::2]
        environment = {**os.environ, "PIP_CONFIG_FILE": os.devnull}
        command = [interpreter.path, "-c", OF_PIP, index.url, *without_linux]
        pip = subprocess.run(command, check=True, capture_output=True, timeout=120, env=environment)
        assert {name: chosen[name] for name in without_linux} == json.loads(pip.stdout)


@pytest.mark.parametrize(
    ("wheels", "best"),
    [
        (("1", "2", "10"), "10"),
        (("10", "2", ""), "10"),
        (("", "1"), "1"),
        (("1a", "1", "1b"), "1b"),
        (("", ""), ""),
    ],
)
def test_the_highest_build_number_wins(wheels: tuple[str, ...], best: str) -> None:
    files = tuple(f"alpha-1.0-{each}{'-' if each else ''}py3-none-any.whl" for each in wheels)
    [(_, artifact)] = select_artifacts(lock_of(package(wheels=files)), INTERPRETER)
    assert name_of(artifact) == f"alpha-1.0-{best}{'-' if best else ''}py3-none-any.whl"


def test_a_better_tag_counts_more_than_a_build_number() -> None:
    files = ("alpha-1.0-9-py3-none-any.whl", "alpha-1.0-cp312-cp312-manylinux_2_17_x86_64.whl")
    [(_, artifact)] = select_artifacts(lock_of(package(wheels=files)), INTERPRETER)
    assert name_of(artifact) == files[1]


def test_plain_linux_comes_after_manylinux_whatever_the_order_was() -> None:
    tags = ["cp312-cp312-linux_x86_64", "cp312-cp312-manylinux_2_17_x86_64", "cp312-abi3-linux_x86_64", "py3-none-any"]
    ordered = [str(each) for each in tags_in_order(tags)]
    assert ordered == [tags[1], tags[0], *tags[2:]]
    assert [str(each) for each in tags_in_order(ordered)] == ordered
