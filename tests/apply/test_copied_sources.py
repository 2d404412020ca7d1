"""Packages that were built from a copy of a local project name the original, and other links to their files stay."""

from pathlib import Path

from reconciler.apply.copied_sources import name_originals


def test_the_metadata_names_the_original_and_its_record_has_the_new_hashes(tmp_path: Path) -> None:
    original, copy = "/work/app", f"{tmp_path}/scratch/0/work/app"
    info = tmp_path / "venv/lib/python3.12/site-packages/app-1.0.dist-info"
    info.mkdir(parents=True)
    cache = tmp_path / "cache"
    cache.mkdir()
    before = {
        "direct_url.json": f'{{"url": "file://{copy}", "dir_info": {{}}}}',
        "METADATA": f"Name: app\nRequires-Dist: core @ file://{tmp_path}/scratch/0/work/core\n",
        "RECORD": "app.py,sha256=x,1\n\napp-1.0.dist-info/direct_url.json,,\napp-1.0.dist-info/METADATA,,\n"
        "app-1.0.dist-info/RECORD,,\n",
    }
    for name, text in before.items():
        (cache / name).write_text(text)
        (cache / name).chmod(0o640)
        (info / name).hardlink_to(cache / name)

    name_originals(tmp_path / "venv", {Path(original): Path(copy)})

    assert {each.name: each.read_text() for each in info.iterdir()} == {
        "direct_url.json": '{"url": "file:///work/app", "dir_info": {}}',
        "METADATA": "Name: app\nRequires-Dist: core @ file:///work/core\n",
        "RECORD": "app.py,sha256=x,1\n\n"
        "app-1.0.dist-info/direct_url.json,sha256=yhA2u2OPWz83FsU1d3cE3gNjv8vWEuMmsE5jG2SEuBw,43\n"
        "app-1.0.dist-info/METADATA,sha256=ZZh5olpBeU18z6TZEPjL_pPjiByz_t2BKOx4ieWyU14,50\n"
        "app-1.0.dist-info/RECORD,,\n",
    }
    assert {each.stat().st_mode & 0o777 for each in info.iterdir()} == {0o640}
    assert {each.name: each.read_text() for each in cache.iterdir()} == before


def test_a_package_from_elsewhere_is_not_changed(tmp_path: Path) -> None:
    info = tmp_path / "venv/lib/python3.12/site-packages/app-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "direct_url.json").write_text('{"url": "file:///elsewhere/app", "dir_info": {}}')
    name_originals(tmp_path / "venv", {Path("/work/app"): tmp_path / "scratch/0/work/app"})
    assert [each.name for each in info.iterdir()] == ["direct_url.json"]
    assert (info / "direct_url.json").read_text() == '{"url": "file:///elsewhere/app", "dir_info": {}}'
