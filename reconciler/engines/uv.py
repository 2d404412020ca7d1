"""uv as the engine (checked with 0.13.8): called with an absolute interpreter, without configuration files."""

import re
import threading
import tomllib
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from reconciler.engines.bytecode import compile_modules
from reconciler.engines.deadlines import Deadlines
from reconciler.engines.engine import Builds, CachedPackage, ExportRequest, InstallRequest, ResolveRequest
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
        }
        self._cache = cache
        self._asking = threading.Lock()
        self._only_index = ""
        self.lock_fd = lock_fd

    def resolve(self, request: ResolveRequest) -> str:
        """Return a universal PEP 751 document; see `Engine.resolve`. Builds nothing if `builds` is deny."""
        with scratch_directory() as scratch:
            output = scratch / "pylock.toml"
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

    def export(self, request: ExportRequest) -> str:
        """Return what `uv export --frozen` makes of a uv.lock, which it does not compare with the pyproject.toml."""
        arguments = ["export", "--frozen", "--offline", "--format", "pylock.toml", "--no-default-groups"]
        arguments += [
            "--preview-features",
            "pylock",
            "--project",
            str(request.directory),
            "-p",
            request.interpreter.path,
        ]
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
        if request.link_mode:
            arguments += ["--link-mode", request.link_mode]
        if request.compile_bytecode:
            arguments.append("--compile-bytecode")
        if request.offline:
            arguments.append("--offline")
        for name in request.refresh:
            arguments += ["--refresh-package", name]
        local = _not_from_an_index(request)
        if local:  # uv does not read these again with `--refresh-package`
            self._run(["cache", "clean", *local], cwd=request.pylock.parent, timeout=self._deadlines.install)
        self._run([*arguments, str(request.pylock)], cwd=request.pylock.parent, timeout=self._deadlines.install)

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
        return self._run([*arguments, str(requirements)], cwd=scratch, timeout=self._deadlines.resolve)

    def _run(self, arguments: list[str], *, cwd: Path, timeout: float) -> Completed:
        """Run uv with the options that every call needs; raise the error for its failure."""
        from uv import find_uv_bin  # finding uv takes time, and not every run needs it

        argv = [find_uv_bin(), "--no-config", "--no-progress", "--color", "never", "--system-certs"]
        if self._cache is not None:
            argv += ["--cache-dir", str(self._cache)]
        inherit = () if self.lock_fd is None else (self.lock_fd,)
        done = run_child([*argv, *arguments], env=self._env, cwd=cwd, timeout=timeout, inherit=inherit)
        if not done.ok:
            raise uv_error(arguments[:2], done, timeout, credentials_of(self._env))
        return done


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
