"""The requirements of distributions are filtered by markers; extras and invalid lines are left out."""

from pathlib import Path

from reconciler.observe.actual import ActualEnvironment, Depth, Distribution, Occupant
from reconciler.observe.dependency_graph import requirement_graph

MARKERS = {"python_version": "3.12", "sys_platform": "linux"}


def installed(venv: Path, name: str, *requires: str) -> Distribution:
    place = f"lib/python3.12/site-packages/{name}-1.0.dist-info"
    (venv / place).mkdir(parents=True)
    lines = "".join(f"Requires-Dist: {each}\n" for each in requires)
    (venv / place / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n{lines}\n")
    return Distribution(key=name, name=name, version="1.0", place=place)


def graph(venv: Path, *distributions: Distribution) -> dict[str, tuple[str, ...]]:
    observed = ActualEnvironment(
        name="web", path=str(venv), occupant=Occupant.VENV, depth=Depth.METADATA, distributions=distributions
    )
    return requirement_graph(observed, MARKERS)


def test_names_are_normalized_sorted_and_unique(tmp_path: Path) -> None:
    one = installed(tmp_path, "one", "Zope.Interface>=5", "alpha", "alpha[fast]>1")
    assert graph(tmp_path, one, installed(tmp_path, "two")) == {"one": ("alpha", "zope-interface"), "two": ()}


def test_markers_are_evaluated_for_the_interpreter(tmp_path: Path) -> None:
    one = installed(
        tmp_path,
        "one",
        'old; python_version < "3.12"',
        'here; sys_platform == "linux"',
        'there; sys_platform == "win32"',
    )
    assert graph(tmp_path, one) == {"one": ("here",)}


def test_extras_and_invalid_lines_are_left_out(tmp_path: Path) -> None:
    one = installed(tmp_path, "one", "not a requirement !!", 'docs; extra == "docs"', "real")
    gone = Distribution(key="gone", name="gone", version="1", place="lib/gone.dist-info")
    assert graph(tmp_path, one, gone) == {"one": ("real",), "gone": ()}
