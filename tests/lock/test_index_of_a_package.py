"""The index that a locked package comes from: what the package tool said about its pin, or about a local version."""

import pytest

from reconciler.errors import LockError
from reconciler.lock.resolve import _index_of

OWN, OTHER = "https://index.example/own", "https://index.example/other"
FROM_INDEX = {"alpha==2.0": OTHER, "torch==2.0+cpu": OWN, "torch==1.0": OTHER, "torch==1.0+cpu": OWN}


@pytest.mark.parametrize(("version", "index"), [("2.0", OWN), ("2.0+cpu", OWN), ("1.0", OTHER), ("1.0+cpu", OWN)])
def test_a_version_is_also_found_by_its_local_version(version: str, index: str) -> None:
    assert _index_of({"name": "torch", "version": version}, FROM_INDEX) == index


@pytest.mark.parametrize("version", ["3.0", "2", "2.0+cu124"])
def test_a_pin_without_an_index_is_an_error(version: str) -> None:
    with pytest.raises(LockError) as caught:
        _index_of({"name": "torch", "version": version}, FROM_INDEX)
    assert caught.value.message == f"the package tool did not report the index of `torch=={version}`"
