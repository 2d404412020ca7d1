"""Where the modules of a distribution are: relative inside the environment, and absolute outside."""

from pathlib import Path

from reconciler.observe.site import SiteDirectory, directories_in_pth_files
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


def test_pth_files_add_the_directories_and_eggs_that_exist(tmp_path: Path) -> None:
    site = tmp_path / "venv" / "site"
    site.mkdir(parents=True)
    for name in ("inside", "other"):
        (site / name).mkdir()
    (tmp_path / "outside").mkdir()
    (site / "some.egg").write_bytes(b"")
    (site / "a.pth").write_text(
        f"inside\n\n# other\nimport other\nimport\tother\nmissing\nsome.egg  \n../../outside\n{tmp_path}/none\nx\0y\n"
    )
    (site / ".hidden.pth").write_text("other\n")
    (site / "bad.pth").write_bytes(b"\xff\n")
    directory = SiteDirectory(path=str(site), relative="site", named_by="")
    found = directories_in_pth_files(str(tmp_path / "venv"), directory, sorted(each.name for each in site.iterdir()))
    assert found == [
        SiteDirectory(path=f"{site}/inside", relative="site/inside", named_by="site/a.pth"),
        SiteDirectory(path=f"{site}/some.egg", relative="site/some.egg", named_by="site/a.pth"),
        SiteDirectory(path=f"{tmp_path}/outside", relative="", named_by="site/a.pth"),
    ]
