"""Which index serves which package, for every set of indexes and every name."""

from hypothesis import given
from hypothesis import strategies as st

from reconciler.manifest.desired import Index
from reconciler.manifest.index_rules import DEFAULT_INDEX, index_of_url, may_serve, pinned_to, used_indexes

NAMES = ("acme", "acme-core", "torch", "torchvision", "six")
PATTERNS = ("acme", "acme-*", "torch*", "six", "*")


@st.composite
def index_sets(draw: st.DrawFn) -> tuple[Index, ...]:
    count = draw(st.integers(0, 4))
    return tuple(
        Index(
            name=f"i{at}",
            url=f"https://i{at}.index.example/simple",
            packages=tuple(draw(st.lists(st.sampled_from(PATTERNS), max_size=2))),
            default=draw(st.sampled_from((None, True, False))),
        )
        for at in range(count)
    )


@given(indexes=index_sets(), name=st.sampled_from(NAMES), chosen=st.sets(st.sampled_from(("i0", "i1", "i2", "i3"))))
def test_a_pinned_package_has_its_indexes_and_they_serve_nothing_else(
    indexes: tuple[Index, ...], name: str, chosen: set[str]
) -> None:
    used = used_indexes(indexes, chosen)
    serving = [each for each in used if may_serve(each, name, used)]
    if pinned := pinned_to(name, used):
        assert serving == list(pinned)
    else:
        assert serving == [each for each in used if not each.packages]
        assert DEFAULT_INDEX not in used or DEFAULT_INDEX in serving


@given(indexes=index_sets())
def test_the_default_index_is_last_and_used_unless_one_replaces_it(indexes: tuple[Index, ...]) -> None:
    used = used_indexes(indexes, names=())
    assert used[: len(indexes)] == indexes
    replaced = any(not each.packages if each.default is None else each.default for each in indexes)
    assert used[len(indexes) :] == (() if replaced or not indexes else (DEFAULT_INDEX,))


def test_a_url_belongs_to_the_most_specific_index_or_the_only_one_of_its_host() -> None:
    one, two = (Index(name=name, url=f"https://host.example/{name}/simple") for name in ("one", "two"))
    inner, other = (
        Index(name="inner", url="https://host.example/one/simple/x/"),
        Index(name="o", url="https://o.example"),
    )
    indexes = (one, two, inner, other)
    assert index_of_url("https://host.example/one/simple/acme/", indexes) == one
    assert index_of_url("https://user:pass@HOST.example:443/one/simple/x/acme/", indexes) == inner
    assert index_of_url("https://host.example/one/simple-not", indexes) is None, "several indexes have this host"
    assert index_of_url("https://o.example/files/acme.whl", indexes) == other
    apart = Index(name="p", url="https://p.example/simple")
    assert index_of_url("https://p.example/files/acme.whl", (*indexes, apart)) == apart, "the only one of this host"
    assert index_of_url("http://o.example/files/acme.whl", indexes) is None
