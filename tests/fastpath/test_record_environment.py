"""What the agreement of an environment says about it."""

import time

import reconciler
from reconciler.fastpath.agreement import agreement_path, read_cache_file
from reconciler.state.inode_hashes import TICK_NS
from tests.faults.damages import SERIES
from tests.host import Host


def test_an_agreement_ends_with_the_first_exception_that_ends(host: Host) -> None:
    host.manifest(
        f'web:\n  python: "{SERIES}"\n'
        "  ignore: [a, {match: b, until: '9997-01-01'}, {match: c, until: '9996-01-01'}]\n"
        "  ignore_files: [d, {match: e, until: '9998-01-01'}]\n"
        f'api:\n  python: "{SERIES}"\n'
    )
    host.apply()
    time.sleep(2 * TICK_NS / 1e9)  # a change within the last tick is never remembered
    reconciler.load(host.directory / "envs.yaml").plan()
    agreements = [read_cache_file(agreement_path(str(host.root), name)) for name in ("web", "api")]
    assert [each and each["until"] for each in agreements] == ["9996-01-01", ""]
