"""uv as the engine (checked with 0.13.8): called with an absolute interpreter, without configuration files."""

import json
import os
import re
import tempfile
import threading
import time
import tomllib
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

from reconciler.canonical_json import digest
from reconciler.engines.bytecode import compile_modules
from reconciler.engines.deadlines import Deadlines
from reconciler.engines.engine import Builds, CachedPackage, InstallRequest, ResolveRequest
from reconciler.engines.uv_cache import old_interpreters, unused_entries, unused_names
from reconciler.engines.uv_errors import uv_error
from reconciler.errors import EngineError
from reconciler.fs.remove_tree import remove_tree
from reconciler.interpreters.model import Interpreter
from reconciler.manifest.desired import Index
from reconciler.processes.child import Completed, run_child
from reconciler.processes.credentials import credentials_of
from reconciler.processes.environ import allowed_environment, index_credentials
from reconciler.processes.scratch import scratch_directory

_PIN = re.compile(r"^(?P<name>[A-Za-z0-9][A-Za-z0-9._-]*)==(?P<version>[^\s;\\]+)")
_STAMP = "ENVSYNC_BUILD"  # a build variable that nothing reads: with a new value, uv takes no build from its cache
_SECRETS = "ENVSYNC_BUILD_SECRETS"  # nothing reads it either: the digest of variables whose values are secret
_NO_VARIABLES: Mapping[str, str] = MappingProxyType({})
_FROM = re.compile(r"^\s+# from (?P<url>\S+)\s*$")


class UvEngine:
    """Runs uv. `cache` is its cache directory (None: the user's own), `lock_fd` a descriptor that its children keep."""

    def __init__(
        self,
        *,
        ambient: Mapping[str, str],
        cache: Path | None,
        index_names: tuple[str, ...] = (),
        lock_fd: int | None = None,
        deadlines: Deadlines | None = None,
    ) -> None:
        self._deadlines = deadlines or Deadlines()
        self._env = {
            **allowed_environment(ambient),
            **index_credentials(ambient, index_names),
            **self._deadlines.environment(),
            "UV_PYTHON_DOWNLOADS": "never",
            "UV_NO_PROGRESS": "1",
            "GIT_TERMINAL_PROMPT": "0",
            "GIT_OPTIONAL_LOCKS": "0",  # a build of an editable project does not refresh the index of its repository
            "GIT_CEILING_DIRECTORIES": os.path.realpath(tempfile.gettempdir()),  # nor does a copy find one above it
        }
        self._cache = cache
        self._asking = threading.Lock()
        self._only_index = ""
        self.lock_fd = lock_fd

    def resolve(self, request: ResolveRequest) -> str:
        """Return a universal PEP 751 document; see `Engine.resolve`. Builds nothing if `builds` is deny."""
        with scratch_directory() as scratch:
            output = (request.directory or scratch) / "pylock.toml"
            output.unlink(missing_ok=True)
            if request.preferences is not None:
                output.write_text(request.preferences, encoding="utf-8")
            self._compile(request, request.requirements, scratch, "--generate-hashes", "--format", "pylock.toml",
                          "-o", str(output), *_upgrades(request.upgrade))  # fmt: skip
            return output.read_text(encoding="utf-8")

    def indexes_of(self, pins: tuple[str, ...], request: ResolveRequest) -> Mapping[str, str]:
        """Return a mapping of `name==version` to index URL, from a second run: uv's PEP 751 output lacks it."""
        if len(request.indexes) > 1:
            return self._indexes_of(pins, request)
        # With a single index, the answer for one package holds for all.
        with self._asking:
            for pin in pins:
                if not self._only_index:
                    self._only_index = next(iter(self._indexes_of((pin,), request).values()), "")
        return {pin.partition(" ")[0]: self._only_index for pin in pins} if self._only_index else {}

    def _indexes_of(self, pins: tuple[str, ...], request: ResolveRequest) -> Mapping[str, str]:
        if not pins:
            return {}
        with scratch_directory() as scratch:
            # An override would replace the pin, and the index of a different version would be returned.
            alone = replace(request, constraints=(), overrides=(), dependencies=False)
            done = self._compile(alone, pins, scratch, "--no-header", "--no-annotate", "--emit-index-annotation")
        found: dict[str, str] = {}
        pin = ""
        for line in done.stdout.decode("utf-8", "replace").splitlines():
            if match := _PIN.match(line):
                pin = f"{match['name']}=={match['version']}"
            elif (match := _FROM.match(line)) and pin:
                found[pin] = match["url"]
        return found

    def create(self, venv: Path, interpreter: Interpreter, *, system_site_packages: bool, prompt: str) -> None:
        """Make an empty venv with `uv venv`; `venv` must not exist, or be empty."""
        flags = ["--system-site-packages"] if system_site_packages else []
        self._run(
            ["venv", "--no-project", f"--prompt={prompt}", *flags, "-p", interpreter.path, str(venv)],
            cwd=venv.parent,
            timeout=self._deadlines.venv,
        )

    def install(self, request: InstallRequest) -> None:
        """Install with `uv pip sync`; the venv must be one that `create` just created."""
        if not (request.venv / "pyvenv.cfg").is_file():  # uv would act on the base interpreter instead
            raise EngineError(f"`{request.venv}` is not a virtual environment")
        arguments = ["pip", "sync", "--preview-features", "pylock", "--strict", "--allow-empty-requirements"]
        arguments += ["-p", str(request.venv / "bin" / "python"), *_builds(_built(request))]
        arguments += _indexes(request.indexes)
        editables = _editables(request)  # their metadata may have changed although no file did that uv looks at
        if request.link_mode:
            arguments += ["--link-mode", request.link_mode]
        if request.compile_bytecode:
            arguments.append("--compile-bytecode")
        if request.offline:
            arguments.append("--offline")
        for name in dict.fromkeys((*request.refresh, *([] if request.offline else editables))):
            arguments += ["--refresh-package", name]
        local = _not_from_an_index(request)
        if local:  # uv does not read these again with `--refresh-package`
            self._run(["cache", "clean", *local], cwd=request.pylock.parent, timeout=self._deadlines.install)
        with _configured(_build_variables(request, editables if request.offline else ())) as config:
            self._run(
                [*arguments, str(request.pylock)],
                cwd=request.pylock.parent,
                timeout=self._deadlines.install,
                config=config,
                variables=request.secrets,
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
        self.bound_cache()
        self._run(["cache", "prune"], cwd=self._cache.parent, timeout=self._deadlines.install)

    def bound_cache(self) -> None:
        """Delete the oldest facts about interpreters, which uv then queries again; an error is ignored."""
        if self._cache is not None:
            with suppress(OSError):
                for path in old_interpreters(self._cache):
                    path.unlink()

    def _compile(self, request: ResolveRequest, lines: tuple[str, ...], scratch: Path, *extra: str) -> Completed:
        """Run `uv pip compile` on `lines` with the request's rules, from files in `scratch`."""
        arguments = ["pip", "compile", "--preview-features", "pylock", "--universal",
                     "-p", request.interpreter.path, "--python-version", request.python_version,
                     "--prerelease", request.prerelease, "--no-sources",
                     *_builds(request.builds), *_indexes(request.indexes), *extra]  # fmt: skip
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
        return self._run(
            [*arguments, str(requirements)],
            cwd=scratch,
            timeout=self._deadlines.resolve,
            variables=variables,
            # It is not known yet what is built, so the cache of other builds cannot be used.
            cache=scratch / "cache" if variables else None,
        )

    def _run(
        self,
        arguments: list[str],
        *,
        cwd: Path,
        timeout: float,
        config: Path | None = None,
        variables: Mapping[str, str] = _NO_VARIABLES,
        cache: Path | None = None,
    ) -> Completed:
        """Run uv with the options that every call needs; raise the error for its failure.

        `config` is the only configuration file that it reads; `variables` are added to its environment, and their
        values are removed from its output; `cache` replaces the cache directory.
        """
        from uv import find_uv_bin  # finding uv takes time, and not every run needs it

        argv = [find_uv_bin(), "--no-progress", "--color", "never", "--system-certs"]
        argv += ["--no-config"] if config is None else ["--config-file", str(config)]
        cache = cache or self._cache
        if cache is not None:
            argv += ["--cache-dir", str(cache)]
        inherit = () if self.lock_fd is None else (self.lock_fd,)
        env = {**self._env, **variables}
        done = run_child([*argv, *arguments], env=env, cwd=cwd, timeout=timeout, inherit=inherit)
        if not done.ok:
            raise uv_error(arguments[:2], done, timeout, credentials_of(env, variables.values()))
        return done


@contextmanager
def _configured(variables: Mapping[str, Mapping[str, str]]) -> Iterator[Path | None]:
    """Yield a configuration file with build variables by package, None if there are none.

    uv adds them to the environment of that package's build, and uses only cached builds with the same variables.
    """
    if not variables:
        yield None
        return
    with scratch_directory() as scratch:
        file = scratch / "uv.toml"
        tables = {
            json.dumps(package): ", ".join(f"{name} = {_toml_string(text)}" for name, text in values.items())
            for package, values in variables.items()
        }
        lines = [f"{package} = {{ {values} }}\n" for package, values in tables.items()]
        file.write_text("[extra-build-variables]\n" + "".join(lines), encoding="utf-8")
        yield file


def _build_variables(request: InstallRequest, editables: Collection[str]) -> dict[str, dict[str, str]]:
    """Return the variables for the build of each package that has no wheel; those in `editables` are built in any case.

    Secrets are only represented by their digest, because uv writes the variables into the metadata of the package.
    """
    packages = tomllib.loads(request.pylock.read_text(encoding="utf-8")).get("packages", [])
    found = {}
    for package in packages:
        name = package["name"]
        archive = package.get("archive", {})
        is_wheel = "wheels" in package or str(archive.get("path") or archive.get("url")).endswith(".whl")
        variables = {} if is_wheel else dict(request.variables)
        if request.secrets and not is_wheel:
            secrets = {each: digest(["build_env", each, text]) for each, text in request.secrets.items()}
            variables[_SECRETS] = digest(secrets)
        if name in editables:
            variables[_STAMP] = str(time.time_ns())
        if variables:
            found[name] = variables
    return found


def _toml_string(text: str) -> str:
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007F")


def _indexes(indexes: tuple[Index, ...]) -> list[str]:
    """Return the index options: pinned indexes first, the last of the others as the default index."""
    ordered = sorted(indexes, key=lambda index: not index.packages)
    if not ordered:
        return []
    options: list[str] = []
    for index in ordered[:-1]:
        options += ["--index", f"{index.name}={index.url}"]
    return [*options, "--default-index", f"{ordered[-1].name}={ordered[-1].url}"]


def _built(request: InstallRequest) -> Builds:
    """Return the packages of a document that may be built: those with a wheel need no build."""
    if isinstance(request.builds, str):
        return request.builds
    packages = tomllib.loads(request.pylock.read_text(encoding="utf-8")).get("packages", [])
    wheels = {package["name"] for package in packages if "wheels" in package}
    return tuple(name for name in request.builds if name not in wheels)


def _editables(request: InstallRequest) -> list[str]:
    """Return the packages of a document that are installed in editable mode."""
    packages = tomllib.loads(request.pylock.read_text(encoding="utf-8")).get("packages", [])
    return [each["name"] for each in packages if each.get("directory", {}).get("editable")]


def _not_from_an_index(request: InstallRequest) -> list[str]:
    """Return the packages to refresh that come from a URL, a path or a repository."""
    if not request.refresh:
        return []
    packages = tomllib.loads(request.pylock.read_text(encoding="utf-8")).get("packages", [])
    others = {each["name"] for each in packages if each.keys() & {"archive", "directory", "vcs"}}
    return sorted(others.intersection(request.refresh))


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
