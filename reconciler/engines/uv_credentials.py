"""The credentials that a run of uv gets for its indexes: bound to a host, and not in its environment.

uv starts builds in its own environment, so a password there would reach every build backend. Instead uv reads it from
its credential store, which exists during the run and names the URL of the index. On Linux the store is in memory: a run
that is killed leaves nothing on disk. See docs/design.md, "Indexes".
"""

import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from reconciler.backticks import in_backticks
from reconciler.errors import IndexForbiddenError
from reconciler.manifest.desired import Index
from reconciler.processes.environ import credential_variables, host_variable
from reconciler.processes.scratch import scratch_directory
from reconciler.toml_string import toml_string

_PORTS = {"http": "80", "https": "443"}
_LOCAL = frozenset({"localhost", "127.0.0.1"})  # uv's store has no other hosts without https


@contextmanager
def uv_credentials(indexes: Iterable[Index], given: Mapping[str, str]) -> Iterator[dict[str, str]]:
    """Yield the variables through which uv gets the credentials of `indexes`, during a run.

    `given` are the variables of the user (`reconciler.processes.environ.index_credentials`). An index that is not
    local and has no https gets them in the environment. Raises IndexForbiddenError if they are for a different host, or
    if they do not say for which one.
    """
    tables, variables = dict[str, str](), dict[str, str]()
    for index in indexes:
        names = credential_variables(index.name)
        user, password = (given.get(each, "") for each in names)
        if not (user or password) or not index.url.startswith(("http://", "https://")):
            continue
        _refuse_other_host(index, given.get(host_variable(index.name), ""))
        parts = urlsplit(index.url)
        if parts.scheme == "https" or parts.hostname in _LOCAL:
            login = {"username": user, "scheme": "basic", "password": password}
            # Pages are below the URL of the index, but files may be elsewhere on its host.
            tables[index.url] = _table(service=index.url, **login)
            host = f"{parts.scheme}://{parts.netloc}/"
            tables.setdefault(host, _table(service=host, **login))
        else:
            variables |= {each: given[each] for each in names if each in given}
    if not tables:
        yield variables
        return
    with scratch_directory() as scratch, _written(scratch / "credentials.toml", "\n".join(tables.values())):
        yield {**variables, "UV_CREDENTIALS_DIR": str(scratch)}


def index_host(url: str) -> str:
    """Return the host of an index's URL in lower case, with its port unless it is the usual one."""
    parts = urlsplit(url)
    netloc = parts.netloc.rpartition("@")[2].lower()
    return netloc.removesuffix(f":{_PORTS.get(parts.scheme, '')}")


def _refuse_other_host(index: Index, bound: str) -> None:
    """Raise IndexForbiddenError unless `bound`, the host that the credentials are for, is that of the index.

    A person who proposes a change of the manifest can change a URL. Only the one who keeps the password knows its host.
    """
    host = index_host(index.url)
    if bound.strip().lower() == host:
        return
    where = f"index {in_backticks(index.name)} ({in_backticks(host)})"
    hint = f"if this host may have them, set `{host_variable(index.name)}={host}`"
    if not bound:
        raise IndexForbiddenError(f"{where}: its credentials are not bound to a host", hint=hint)
    raise IndexForbiddenError(f"{where}: its credentials are for {in_backticks(bound)}", hint=hint)


def _table(**values: str) -> str:
    return "\n".join(["[[credential]]", *(f"{key} = {toml_string(text)}" for key, text in values.items()), ""])


@contextmanager
def _written(path: Path, text: str) -> Iterator[None]:
    """Let `path` have the contents `text`: as a link to memory that ends with this process, or as a file."""
    if not (sys.platform == "linux" and Path("/proc/self/fd").is_dir()):
        path.touch(mode=0o600)
        path.write_text(text, encoding="utf-8")
        yield
        return
    with os.fdopen(os.memfd_create("credentials"), "wb") as memory:  # no child inherits it
        memory.write(text.encode())
        memory.flush()
        path.symlink_to(f"/proc/{os.getpid()}/fd/{memory.fileno()}")
        yield
