"""The indexes of one run of uv: as options, or as a configuration file if not every index may serve every package."""

import re
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from functools import partial

from reconciler.engines.index_directories import has_files, write_pages
from reconciler.manifest.desired import Index
from reconciler.manifest.index_rules import DEFAULT_INDEX, may_serve
from reconciler.manifest.urls import directory_of_url
from reconciler.processes.child import Completed
from reconciler.processes.scratch import scratch_directory
from reconciler.toml_string import toml_string

_SUBSEQUENT = rb" A compatible version may be available on a subsequent index \(e\.g\., %s[^)]*\)\."  # uv's advice


@dataclass(frozen=True, slots=True, kw_only=True)
class UvIndexes:
    """How a run of uv gets its indexes: `options` for its command, its configuration (TOML), and further variables.

    `indexes` are those that it uses. `addresses` has, by the URL that uv is given instead, the URL of an index.
    `end` is the URL that ends the search for a pinned package, empty if there is none.
    """

    indexes: tuple[Index, ...] = ()
    options: tuple[str, ...] = ()
    configuration: str = ""
    environment: Mapping[str, str] = field(default_factory=dict)
    addresses: Mapping[str, str] = field(default_factory=dict)
    end: str = ""

    def translated(self, done: Completed) -> Completed:
        """Return the result of a run with the indexes' own URLs in its output."""
        stdout, stderr = done.stdout, done.stderr
        for address, url in self.addresses.items():
            given, real = address.encode(), f"{url.rstrip('/')}/".encode()
            stdout, stderr = stdout.replace(given, real), stderr.replace(given, real)
        if self.end:
            stderr = re.sub(_SUBSEQUENT % re.escape(self.end.encode()), b"", stderr)
        return replace(done, stdout=stdout, stderr=stderr)


@contextmanager
def uv_indexes(
    indexes: tuple[Index, ...], ambient: Mapping[str, str], *, offline: bool, attempt: int
) -> Iterator[UvIndexes]:
    """Yield what uv needs for `indexes` (`used_indexes`), during a run.

    Without the network the filter does not run, and uv finds in its cache what it fetched through the address number
    `attempt` of the filter. Raises EngineError or OSError.
    """
    directories = {at: found for at, each in enumerate(indexes) if (found := directory_of_url(each.url)) is not None}
    pinned = any(each.packages for each in indexes)
    if not pinned and not any(has_files(each) for each in directories.values()):
        yield UvIndexes(indexes=indexes, options=tuple(_options(indexes)))
        return
    with ExitStack() as stack:
        scratch = stack.enter_context(scratch_directory())
        filtered, end = "", ""
        if pinned and len(directories) < len(indexes):
            # Its HTTP server takes time to import, and few manifests pin packages.
            from reconciler.engines.index_filter import END, filter_addresses, index_filter

            filtered = filter_addresses(indexes)[attempt] if offline else stack.enter_context(index_filter(indexes))
            end = f"{filtered}/{END}/"
        addresses: dict[str, str] = {}
        pinned_tables, other_tables = list[str](), list[str]()
        for at, index in enumerate(indexes):
            if index is DEFAULT_INDEX:
                continue  # uv asks it by itself, after all others
            address = index.url
            if at in directories:
                pages = scratch / "indexes" / str(at)
                write_pages(directories[at], pages, partial(_serves, index, indexes))
                address = f"{pages.as_uri()}/"
            elif index.packages:
                address = f"{filtered}/{at}/"
            if address != index.url:
                addresses[address] = index.url
            (pinned_tables if index.packages else other_tables).append(_table(index, address))
        if filtered:
            pinned_tables.append(_table(None, end))
        tables = [*pinned_tables, *other_tables]
        if DEFAULT_INDEX not in indexes:
            tables[-1] += "default = true\n"
        if filtered:  # uv never asks these, but then knows which credentials belong to their URLs
            tables += [_real_table(each) for at, each in enumerate(indexes) if each.packages and at not in directories]
        yield UvIndexes(
            indexes=indexes,
            configuration="\n".join(tables),
            environment=_without_proxy(ambient) if filtered else {},
            addresses=addresses,
            end=end,
        )


def attempts(indexes: tuple[Index, ...], *, offline: bool) -> range:
    """Return the numbers of the attempts that a run with `indexes` may take; only without the network more than one."""
    if not (offline and any(each.packages for each in indexes)):
        return range(1)
    from reconciler.engines.index_filter import filter_addresses

    return range(len(filter_addresses(indexes)))


def _serves(index: Index, indexes: tuple[Index, ...], name: str) -> bool:
    return may_serve(index, name, indexes)


def _options(indexes: tuple[Index, ...]) -> Iterator[str]:
    """Yield the index options, highest priority first; the last replaces uv's default index, unless that is used."""
    for at, index in enumerate(indexes):
        if index is not DEFAULT_INDEX:
            yield from ("--default-index" if at == len(indexes) - 1 else "--index", f"{index.name}={index.url}")


def _table(index: Index | None, address: str) -> str:
    """Return the table of an index that uv asks; it has a name only if uv asks it directly, because of credentials."""
    lines = ["[[index]]", f"url = {toml_string(address)}"]
    if index is not None and address == index.url:
        lines.append(f"name = {toml_string(index.name)}")
    if address.startswith("file:"):
        lines.append("exclude-newer = false")  # files in a directory have no upload time
    return "\n".join([*lines, ""])


def _real_table(index: Index) -> str:
    return f"[[index]]\nname = {toml_string(index.name)}\nurl = {toml_string(index.url)}\nexplicit = true\n"


def _without_proxy(ambient: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that keep requests to this machine's filter away from a proxy."""
    hosts = ambient.get("NO_PROXY") or ambient.get("no_proxy") or ""
    value = ",".join(each for each in (hosts, "127.0.0.1") if each)
    return {"NO_PROXY": value, "no_proxy": value}
