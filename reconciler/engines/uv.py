"""uv as the engine (checked with 0.13.8): called with an absolute interpreter, without configuration files."""

import os
import re
import threading
import time
import tomllib
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

from reconciler.engines.bytecode import compile_modules
from reconciler.engines.deadlines import Deadlines
from reconciler.engines.engine import Builds, CachedPackage, ExportRequest, InstallRequest, ResolveRequest
from reconciler.engines.isolated_interpreter import isolated_interpreter
from reconciler.engines.user_cache import refuse_unsafe_cache
from reconciler.engines.uv_build_variables import Packages, build_variables, build_variables_table
from reconciler.engines.uv_cache import (
    cache_lock,
    editable_entries,
    forget_interpreters,
    git_entries,
    has_older_sources,
    remove_what_is_not_of_uv,
    unused_entries,
    unused_names,
)
from reconciler.engines.uv_credentials import uv_credentials
from reconciler.engines.uv_errors import uv_error
from reconciler.engines.uv_index_errors import KnownIndexes
from reconciler.engines.uv_indexes import UvIndexes, attempts, uv_indexes
from reconciler.engines.uv_warnings import yanked_table, yanked_versions
from reconciler.errors import BuildFailedError, EngineError, OfflineError
from reconciler.fs.remove_tree import remove_tree
from reconciler.interpreters.model import Interpreter
from reconciler.interpreters.permitted import ForbiddenPlaces
from reconciler.manifest.desired import Index
from reconciler.processes.child import Completed, run_child
from reconciler.processes.credentials import credentials_of
from reconciler.processes.environ import allowed_environment, index_credentials
from reconciler.processes.scratch import scratch_directory, scratch_parent

_PIN = re.compile(r"^(?P<name>[A-Za-z0-9][A-Za-z0-9._-]*)==(?P<version>[^\s;\\]+)")
_NO_VARIABLES: Mapping[str, str] = MappingProxyType({})
_FROM = re.compile(r"^\s+# from (?P<url>\S+)\s*$")


class UvEngine:
    """Runs uv. `cache` is its cache directory (None: the user's own), `lock_fd` a descriptor that its children keep.

    The user's own cache must not be in one of the `places`.
    """

    def __init__(
        self,
        *,
        ambient: Mapping[str, str],
        cache: Path | None,
        index_names: tuple[str, ...] = (),
        lock_fd: int | None = None,
        deadlines: Deadlines | None = None,
        places: ForbiddenPlaces | None = None,
    ) -> None:
        self._deadlines = deadlines or Deadlines()
        self._env = {
            **allowed_environment(ambient),
            **self._deadlines.environment(),
            "UV_PYTHON_DOWNLOADS": "never",
            "UV_NO_PROGRESS": "1",
            "GIT_TERMINAL_PROMPT": "0",
            "GIT_OPTIONAL_LOCKS": "0",  # a build of an editable project does not refresh the index of its repository
            "GIT_CEILING_DIRECTORIES": scratch_parent(),  # nor does a copy find one above it
        }
        self._credentials = index_credentials(ambient, index_names)
        self._cache = cache
        self._directory = cache  # of the cache, None if uv was not asked yet
        self._places = places
        self._examined = False  # whether the cache was examined for what this user's uv did not put there
        self._examining = threading.Lock()
        self._asking = threading.Lock()
        self._only_index: dict[tuple[Index, ...], str] = {}
        self.lock_fd = lock_fd

    def resolve(self, request: ResolveRequest) -> str:
        """Return a universal PEP 751 document; see `Engine.resolve`. Builds nothing if `builds` is deny."""
        with scratch_directory() as scratch:
            output = (request.directory or scratch) / "pylock.toml"
            output.unlink(missing_ok=True)
            if request.preferences is not None:
                output.write_text(request.preferences, encoding="utf-8")
            done = self._compile(request, request.requirements, scratch, "--generate-hashes", "--format", "pylock.toml",
                                 "-o", str(output), *_upgrades(request.upgrade))  # fmt: skip
            return output.read_text(encoding="utf-8") + yanked_table(yanked_versions(done.stderr))

    def indexes_of(self, pins: tuple[str, ...], request: ResolveRequest) -> Mapping[str, str]:
        """Return a mapping of `name==version` to index URL, which uv's PEP 751 output lacks.

        Unless the manifest has a single index, uv runs a second time to find it.
        """
        if len(request.indexes) > 1:
            return self._indexes_of(pins, request)
        if request.indexes and request.indexes[0].url:
            return {pin.partition(" ")[0]: request.indexes[0].url for pin in pins}
        # The only index is uv's own default: its answer for one package holds for all.
        with self._asking:
            for pin in pins:
                if request.indexes not in self._only_index and (found := self._indexes_of((pin,), request)):
                    self._only_index[request.indexes] = next(iter(found.values()))
            only = self._only_index.get(request.indexes)
        return {pin.partition(" ")[0]: only for pin in pins} if only else {}

    def _indexes_of(self, pins: tuple[str, ...], request: ResolveRequest) -> Mapping[str, str]:
        if not pins:
            return {}
        with scratch_directory() as scratch:
            # An override would replace the pin, and the index of a different version would be returned.
            alone = replace(request, constraints=(), overrides=(), dependencies=False)
            done = self._compile(alone, pins, scratch, "--no-header", "--no-annotate", "--emit-index-annotation")
        real = {each.url.rstrip("/"): each.url for each in request.indexes if each.url}  # uv may remove the slash
        found: dict[str, str] = {}
        pin = ""
        for line in done.stdout.decode("utf-8", "replace").splitlines():
            if match := _PIN.match(line):
                pin = f"{match['name']}=={match['version']}"
            elif (match := _FROM.match(line)) and pin:
                found[pin] = real.get(match["url"].rstrip("/"), match["url"])
        return found

    def export(self, request: ExportRequest) -> str:
        """Return what `uv export --frozen` makes of a uv.lock, which it does not compare with the pyproject.toml."""
        arguments = ["export", "--frozen", "--offline", "--format", "pylock.toml", "--no-default-groups",
                     "--preview-features", "pylock", "--project", str(request.directory),
                     "-p", request.interpreter.path]  # fmt: skip
        arguments += [f"--extra={each}" for each in request.extras] + [f"--group={each}" for each in request.groups]
        if request.package:
            arguments += ["--package", request.package]
        if not request.project:
            arguments.append("--no-emit-project")
        if not request.editable:
            arguments.append("--no-editable")
        output = request.output
        self._run([*arguments, "-q", "-o", str(output)], cwd=output.parent, timeout=self._deadlines.resolve)
        return output.read_text(encoding="utf-8")

    def create(self, venv: Path, interpreter: Interpreter, *, system_site_packages: bool, prompt: str) -> None:
        """Make an empty venv with `uv venv`; `venv` must not exist, or be empty."""
        flags = ["--system-site-packages"] if system_site_packages else []
        with (
            scratch_directory() as scratch,
            isolated_interpreter(interpreter.path, scratch, lambda: self._cache_directory(scratch)) as python,
        ):
            self._run(
                ["venv", "--no-project", f"--prompt={prompt}", *flags, "-p", str(python), str(venv)],
                cwd=venv.parent,
                timeout=self._deadlines.venv,
            )

    def install(self, request: InstallRequest) -> None:
        """Install with `uv pip sync`; the venv must be one that `create` just created."""
        packages = _packages(request)
        arguments = ["pip", "sync", "--strict", "--allow-empty-requirements", *_install_options(request, packages)]
        if request.refresh:
            self._forget(request.refresh, _commits(packages, request.refresh), request.pylock.parent)
        began = time.time()
        try:
            self._install(arguments, request, packages)
        except EngineError as error:
            self._keep_suspects(error, request.pylock.parent, began)
            raise

    def install_again(self, requests: Mapping[str, InstallRequest]) -> None:
        """Uninstall and install, because `uv pip install --reinstall` would ask the indexes again."""
        packages = {name: _packages(request) for name, request in requests.items()}
        options = {name: _install_options(request, packages[name]) for name, request in requests.items()}
        for request in list(requests.values())[:1]:
            arguments = ["pip", "uninstall", "-p", str(request.venv / "bin" / "python"), *requests]
            self._run(arguments, cwd=request.pylock.parent, timeout=self._deadlines.install)
        for name, request in requests.items():
            self._install(["pip", "install", "--no-deps", *options[name], "-r"], request, packages[name])

    def _install(self, arguments: Sequence[str], request: InstallRequest, packages: Packages) -> None:
        """Run the command `arguments`, which end before the path of the document, with what its builds need."""
        editables = _editables(packages)  # their metadata may have changed although no file did that uv looks at
        variables = build_variables(packages, request, editables if request.offline else ())
        refresh = [] if request.offline else [part for name in editables for part in ("--refresh-package", name)]
        self._with_indexes(
            request.indexes,
            request.offline,
            lambda indexes: self._run(
                [*arguments[:2], *refresh, *indexes.options, *arguments[2:], str(request.pylock)],
                cwd=request.pylock.parent,
                timeout=self._deadlines.install,
                indexes=indexes,
                configuration=build_variables_table(variables),
                variables=request.secrets,
                hidden=[text for name, text in request.variables.items() if name not in request.public],
            ),
        )

    def compile(self, interpreter: Interpreter, modules: Sequence[Path]) -> None:
        """Compile with the interpreter itself, because uv compiles either all of an environment or nothing."""
        if modules:
            inherit = () if self.lock_fd is None else (self.lock_fd,)
            compile_modules(interpreter.path, modules, timeout=self._deadlines.install, inherit=inherit)

    def collect_cache(self, keep: frozenset[CachedPackage]) -> None:
        """Delete the entries of other packages, and let uv delete what nothing refers to then; raises OSError."""
        if self._cache is None or not self._cache.is_dir():
            return
        names = unused_names(self._cache, keep)
        if names:
            self._run(["cache", "clean", *names], cwd=self._cache.parent, timeout=self._deadlines.install)
        for path in unused_entries(self._cache, keep):
            if path.is_dir() and not path.is_symlink():
                remove_tree(path.parent, path.name, below=self._cache)
            else:
                path.unlink()
        self._run(["cache", "prune"], cwd=self._cache.parent, timeout=self._deadlines.install)

    def _keep_suspects(self, error: EngineError, cwd: Path, began: float) -> None:
        """Blame the cache for a failed build only if it had sources before the build `began` (seconds)."""
        if isinstance(error, BuildFailedError) and error.cached:
            cache = self._cache_directory(cwd)
            error.cached = tuple(each for each in error.cached if has_older_sources(cache, each, began))

    def _forget(self, names: Sequence[str], commits: Collection[str] | None, cwd: Path) -> None:
        """Delete some packages from the cache, so that they are fetched and built again.

        With `commits`, also the repositories that they are from; all of them if it is empty. `--refresh-package` of uv
        would still use cached files of a path, of a repository and of an index on disk.
        """
        self._run(["cache", "clean", *names], cwd=cwd, timeout=self._deadlines.install)
        cache = self._cache_directory(cwd)
        with cache_lock(cache, self._deadlines.install):
            entries = git_entries(cache, commits) if commits is not None else []
            for path in (*editable_entries(cache, names), *entries):
                remove_tree(path.parent, path.name, below=cache)

    def _cache_directory(self, cwd: Path) -> Path:
        """Return the directory of the cache, which uv knows if it is the user's own."""
        if self._directory is None:
            done = self._start(["cache", "dir"], cwd=cwd, timeout=self._deadlines.venv)
            self._directory = cwd / os.fsdecode(done.stdout).removesuffix("\n")
        return self._directory

    def _compile(self, request: ResolveRequest, lines: tuple[str, ...], scratch: Path, *extra: str) -> Completed:
        """Run `uv pip compile` on `lines` with the request's rules, from files in `scratch`."""
        with isolated_interpreter(request.interpreter.path, scratch, lambda: self._cache_directory(scratch)) as python:
            return self._compile_for(python, request, lines, scratch, *extra)

    def _compile_for(
        self, python: Path, request: ResolveRequest, lines: tuple[str, ...], scratch: Path, *extra: str
    ) -> Completed:
        arguments = ["pip", "compile", "--preview-features", "pylock,index-exclude-newer", "--universal",
                     "-p", str(python), "--python-version", request.python_version,
                     "--prerelease", request.prerelease, "--no-sources",
                     *_builds(request.builds), *extra]  # fmt: skip
        for option, content in (("--constraints", request.constraints), ("--overrides", request.overrides)):
            if content:
                file = scratch / f"{option.strip('-')}.txt"
                file.write_text("".join(f"{line}\n" for line in content), encoding="utf-8")
                arguments += [option, str(file)]
        if not request.dependencies:
            arguments.append("--no-deps")
        if request.exclude_newer:
            arguments += ["--exclude-newer", request.exclude_newer]
        if request.offline:
            arguments.append("--offline")
        requirements = scratch / "requirements.in"
        requirements.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        variables = {} if request.builds == "deny" else request.variables

        def run(indexes: UvIndexes) -> Completed:
            return self._run(
                [*arguments, *indexes.options, str(requirements)],
                cwd=scratch,
                timeout=self._deadlines.resolve,
                indexes=indexes,
                variables=variables,
                # It is not known yet what is built, so the cache of other builds cannot be used.
                cache=scratch / "cache" if variables else None,
            )

        began = time.time()
        try:
            return self._with_indexes(request.indexes, request.offline, run)
        except EngineError as error:
            self._keep_suspects(error, scratch, began)
            if not error.cached or request.offline:
                raise
            commits = () if any(" @ git+" in line for line in lines) else None
            self._forget(error.cached, commits, scratch)
        try:
            return self._with_indexes(request.indexes, request.offline, run)
        except EngineError as error:
            error.failed_again()
            raise

    def _with_indexes(
        self, indexes: tuple[Index, ...], offline: bool, run: Callable[[UvIndexes], Completed]
    ) -> Completed:
        """Return the result of `run` with the indexes as uv needs them; offline, of the first attempt that works."""
        last = attempts(indexes, offline=offline)[-1]
        for attempt in range(last):
            with suppress(OfflineError), uv_indexes(indexes, self._env, offline=True, attempt=attempt) as given:
                return run(given)
        with uv_indexes(indexes, self._env, offline=offline, attempt=last) as given:
            return run(given)

    def _examine_cache(self, cwd: Path) -> None:
        """Delete from the root's cache what must not be there; raises UnsafeCacheError for an unsafe cache of the user.

        Only the first call does this.
        """
        with self._examining:
            if self._examined:
                return
            if self._cache is None:
                refuse_unsafe_cache(self._cache_directory(cwd), self._places or ForbiddenPlaces())
            else:
                remove_what_is_not_of_uv(self._cache)
                forget_interpreters(self._cache)
            self._examined = True

    def _run(
        self,
        arguments: list[str],
        *,
        cwd: Path,
        timeout: float,
        indexes: UvIndexes | None = None,
        configuration: str = "",
        variables: Mapping[str, str] = _NO_VARIABLES,
        hidden: Sequence[str] = (),
        cache: Path | None = None,
    ) -> Completed:
        """Run uv when its cache is known to be safe; see `_start`."""
        if cache is None:
            self._examine_cache(cwd)
        return self._start(
            arguments,
            cwd=cwd,
            timeout=timeout,
            indexes=indexes,
            configuration=configuration,
            variables=variables,
            hidden=hidden,
            cache=cache,
        )

    def _start(
        self,
        arguments: list[str],
        *,
        cwd: Path,
        timeout: float,
        indexes: UvIndexes | None = None,
        configuration: str = "",
        variables: Mapping[str, str] = _NO_VARIABLES,
        hidden: Sequence[str] = (),
        cache: Path | None = None,
    ) -> Completed:
        """Run uv with the options that every call needs; raise the error for its failure.

        `configuration` (TOML) and that of the `indexes` are all that it reads; `variables` are added to its
        environment, and their values and `hidden` are removed from its output; `cache` replaces the cache directory.
        """
        from uv import find_uv_bin  # finding uv takes time, and not every run needs it

        given = indexes or UvIndexes()
        cache = cache or self._cache
        inherit = () if self.lock_fd is None else (self.lock_fd,)
        env = {**self._env, **given.environment, **variables}
        with (
            _configured("\n".join(filter(None, (given.configuration, configuration)))) as configured,
            uv_credentials(given.indexes, self._credentials) as credentials,
        ):
            argv = [find_uv_bin(), *configured, "--no-progress", "--color", "never", "--system-certs"]
            if cache is not None:
                argv += ["--cache-dir", str(cache)]
            done = run_child([*argv, *arguments], env={**env, **credentials}, cwd=cwd, timeout=timeout, inherit=inherit)
        done = given.translated(done)
        if not done.ok:
            known = KnownIndexes(indexes=given.indexes, variables=frozenset(self._credentials))
            secrets = credentials_of({**env, **self._credentials}, [*variables.values(), *hidden])
            raise uv_error(arguments[:2], done, timeout, secrets, known)
        return done


@contextmanager
def _configured(text: str) -> Iterator[list[str]]:
    """Yield the options that make uv read the configuration `text` (TOML) and no other; empty: none."""
    if not text:
        yield ["--no-config"]
        return
    with scratch_directory() as scratch:
        file = scratch / "uv.toml"
        file.write_text(text, encoding="utf-8")
        yield ["--config-file", str(file)]


def _packages(request: InstallRequest) -> Packages:
    """Return the packages of the document to install."""
    packages: Packages = tomllib.loads(request.pylock.read_text(encoding="utf-8")).get("packages", [])
    return packages


def _install_options(request: InstallRequest, packages: Packages) -> list[str]:
    """Return the options for `uv pip sync` and `uv pip install`; raises EngineError if it is not a venv."""
    if not (request.venv / "pyvenv.cfg").is_file():  # uv would act on the base interpreter instead
        raise EngineError(f"`{request.venv}` is not a virtual environment", hint=None)
    arguments = ["--preview-features", "pylock", "-p", str(request.venv / "bin" / "python")]
    arguments += _builds(_built(request.builds, packages))
    # uv would clone files where the file system can (btrfs, xfs, APFS): every environment would have inodes of its own,
    # and each of them would have to be looked at.
    arguments += ["--link-mode", request.link_mode or "hardlink"]
    if request.compile_bytecode:
        arguments.append("--compile-bytecode")
    if request.offline:
        arguments.append("--offline")
    return arguments


def _built(builds: Builds, packages: Packages) -> Builds:
    """Return the packages of a document that may be built: those with a wheel need no build."""
    if isinstance(builds, str):
        return builds
    wheels = {package["name"] for package in packages if "wheels" in package}
    return tuple(name for name in builds if name not in wheels)


def _editables(packages: Packages) -> list[str]:
    """Return the names of the packages that are installed in editable mode."""
    return [each["name"] for each in packages if each.get("directory", {}).get("editable")]


def _commits(packages: Packages, names: Collection[str]) -> frozenset[str] | None:
    """Return the commits of those of the packages `names` that come from a repository, None if none does."""
    found = {each["vcs"]["commit-id"] for each in packages if each["name"] in names and "vcs" in each}
    return frozenset(found) or None


def _builds(builds: Builds) -> list[str]:
    """Return the options that forbid building source distributions, all or all but the named ones.

    uv then ignores the wheels of a named package, and always builds it.
    """
    match builds:
        case "allow":
            return []
        case "deny":
            return ["--only-binary", ":all:"]
        case tuple() as names:
            return ["--only-binary", ":all:", *(part for name in names for part in ("--no-binary", name))]


def _upgrades(upgrade: bool | tuple[str, ...]) -> list[str]:
    """Return the options that allow upgrades of the versions in an earlier lock."""
    if isinstance(upgrade, bool):
        return ["--upgrade"] if upgrade else []
    return [part for name in upgrade for part in ("--upgrade-package", name)]
