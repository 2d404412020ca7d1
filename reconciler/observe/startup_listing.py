"""Lists everything that Python runs at every start of one environment, wanted or not, with the package of each file."""

from collections.abc import Iterable
from dataclasses import replace

from reconciler.observe.actual import ActualEnvironment, Distribution, StartupFile
from reconciler.observe.attribution import recorded_files
from reconciler.observe.startup import base_startup_files


def list_startup_files(actual: ActualEnvironment) -> tuple[StartupFile, ...]:
    """Return the startup files of an observed environment, then those of its base interpreter (absolute paths)."""
    series = ".".join(actual.python.split(".")[:2])
    base = base_startup_files(actual.home, series, site_packages=actual.system_site_packages) if actual.home else ()
    return (*with_packages(actual.startup, actual.path, actual.distributions), *base)


def with_packages(
    files: Iterable[StartupFile], venv: str, distributions: Iterable[Distribution]
) -> tuple[StartupFile, ...]:
    """Return the files with the package whose RECORD lists each; reads the RECORD files of all distributions."""
    found = tuple(files)
    own = {each.path for each in found if not each.path.startswith("/")}
    owners: dict[str, str] = {}
    for each in distributions if own else ():
        for path in recorded_files(venv, each):
            if path in own:
                owners.setdefault(path, each.key)
    return tuple(replace(each, package=owners.get(each.path, "")) for each in found)
