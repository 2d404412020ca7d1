"""Where the modules of a distribution are: relative inside the environment, and absolute outside."""

from pathlib import Path

from tests.observe.trees import dist_info, observe_case


def test_the_location_is_relative_inside_and_absolute_outside(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    info = outside / "other-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: other\nVersion: 1.0\n")
    (outside / "acme.egg-info").mkdir()
    (outside / "acme.egg-info" / "PKG-INFO").write_text("Name: acme\nVersion: 1.0\n")
    tree = {**dist_info("six", "1.0"), "SITE/outside.pth": f"{outside}\n", "SITE/acme.egg-link": f"{outside}\n.\n"}
    seen = observe_case(tmp_path / "case", {"tree": tree})
    assert {each.name: each.location for each in seen.distributions} == {
        "six": "lib/python3.12/site-packages",
        "other": str(outside),
        "acme": str(outside),
    }
    assert {each.name: each.origin.url for each in seen.distributions}["acme"] == f"file://{outside}"


def test_a_project_that_only_an_egg_link_names_is_found_where_the_link_points(tmp_path: Path) -> None:
    project = tmp_path / "project"
    (project / "acme.egg-info").mkdir(parents=True)
    (project / "acme.egg-info" / "PKG-INFO").write_text("Name: acme\nVersion: 1.0\n")
    seen = observe_case(tmp_path / "case", {"tree": {"SITE/acme.egg-link": f"{project}\n.\n"}})
    [acme] = seen.distributions
    assert (acme.location, acme.origin.url) == (str(project), f"file://{project}")
