"""Which environments or generations share one edit, and how that is said."""

from reconciler.diff.shared_edits import listed, shared_edits
from reconciler.observe.actual import EditedInode


def edited(*files: tuple[str, int], device: int = 1) -> tuple[EditedInode, ...]:
    return tuple(EditedInode(path=path, device=device, inode=inode) for path, inode in files)


def test_files_with_one_inode_are_one_edit_and_others_are_not() -> None:
    found = shared_edits(
        {
            "api": edited(("a.py", 1), ("b.py", 2), ("own.py", 9)),
            "job": edited(("a.py", 1), ("other-name.py", 2)),
            "web": edited(("a.py", 1), device=2),
        }
    )
    assert [(each.members, each.paths) for each in found] == [(("api", "job"), ("a.py", "b.py"))]
    assert found[0].sentence("`api` and `job`") == (
        "2 edits are shared by `api` and `job` (hard links to the same files): `a.py` and `b.py`"
    )
    assert shared_edits({"api": edited(("a.py", 1), ("b.py", 1))}) == (), "two names in one environment"


def test_three_share_one_and_two_of_them_another() -> None:
    found = shared_edits({1: edited(("a", 1), ("b", 2)), 2: edited(("a", 1), ("b", 2)), 3: edited(("a", 1))})
    assert {each.members: each.paths for each in found} == {(1, 2, 3): ("a",), (1, 2): ("b",)}


def test_a_long_list_names_the_first_three() -> None:
    assert [listed(list("abcde"[:number])) for number in (1, 2, 3, 4)] == [
        "a",
        "a and b",
        "a, b and c",
        "a, b, c and 1 more",
    ]
