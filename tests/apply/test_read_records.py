"""Only a distribution with a `.dist-info` directory has a RECORD."""

import hashlib
from pathlib import Path

from reconciler.apply.verify_build import read_records
from reconciler.observe.environment import observe_path
from tests.observe.trees import VENV, build, dist_info


def test_the_record_of_every_dist_info_directory_is_read(tmp_path: Path) -> None:
    legacy = {"SITE/old-1.0.egg-info/PKG-INFO": "Metadata-Version: 1.0\nName: old\nVersion: 1.0\n"}
    build(tmp_path, {**VENV, **dist_info("six", "1.0"), **legacy})
    observed = observe_path(tmp_path)
    assert [each.name for each in observed.distributions] == ["old", "six"]
    [record] = read_records(tmp_path, observed)
    assert (record.key, record.path) == ("six", "lib/python3.12/site-packages/six-1.0.dist-info/RECORD")
    assert record.sha256 == hashlib.sha256((tmp_path / record.path).read_bytes()).digest()
