"""Last applied and actual state are of the same moment, also if an apply publishes between the two reads."""

from dataclasses import replace

from reconciler.observe.actual import Depth
from reconciler.observe.consistent_read import observe_consistently
from reconciler.state.inode_hashes import InodeHashes
from tests.apply.bench import Bench
from tests.apply.bench import bench as bench
from tests.plan.build import world


def test_what_was_published_after_the_records_were_read_is_read_again(bench: Bench) -> None:
    before = bench.applied(env={"A": "a"})
    after = bench.applied(env={"A": "b"})
    root = bench.state.layout.root
    desired = replace(world({"manifest": {}, "plan": {}}).desired, root=root)
    read, actual = observe_consistently(["web"], desired, bench.state, {"web": before}, Depth.FILES, InodeHashes())
    assert read == {"web": after}
    assert actual.environments["web"].generation == after.generation == 2
    unread, _ = observe_consistently(
        ["web"], desired, bench.state, {"web": before}, Depth.FILES, InodeHashes(), unreadable={"web"}
    )
    assert unread == {"web": before}
