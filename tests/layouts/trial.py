"""One layout: apply, compare with a fresh installation, edit, check, compare again, apply, compare again."""

import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from tests.host import Host
from tests.index import ServedIndex
from tests.layouts.contents import differences, installed
from tests.layouts.edits import EDITS
from tests.layouts.fresh_install import Fresh, Installer, facts_of
from tests.layouts.layout import Layout
from tests.layouts.source_tree import LOCKS, changes, is_scratch, source_tree

EDITABLE, BUILT = "dev", "prod"
START = "start"


class Verdict(StrEnum):
    """What happened to one environment after one edit."""

    SAME = "same"  # a fresh installation would give what is installed, and `check` is green
    REPAIRED = "repaired"  # it would differ, `check` is red, and apply repairs it
    NEEDLESS = "needless"  # it would not differ, but `check` is red
    ANY_FILE = "any file"  # the same, but code of the project takes part in the build, and may read any file
    MISSED = "missed"  # it would differ, but `check` is green
    DIFFERS = "differs"  # apply succeeds and gives something else, or leaves `check` red
    FAILED = "failed"  # apply fails
    ABSENT = "-"  # the layout has no such place


GOOD = frozenset({Verdict.SAME, Verdict.REPAIRED, Verdict.ANY_FILE, Verdict.ABSENT})


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """The verdict about one environment (`dev` is editable, `prod` is not) after one edit, with the reasons."""

    layout: str
    edit: str
    environment: str
    verdict: Verdict
    reasons: tuple[str, ...] = ()
    left_behind: tuple[str, ...] = ()

    @property
    def bad(self) -> bool:
        return self.verdict not in GOOD or bool(self.left_behind)


@dataclass(slots=True, kw_only=True)
class Trial:
    """Runs one layout in `directory`, with the packages of `index`."""

    layout: Layout
    directory: Path
    index: ServedIndex
    python: Path
    # What an editable installation of uv writes into the sources, except scratch: a compiled module, git's index.
    _in_sources: set[str] = field(default_factory=set)

    def run(self, edits: Sequence[str] = tuple(EDITS)) -> Iterator[Result]:
        """Yield the results of the first apply and of each edit; raises ValueError if uv cannot install the layout."""
        repository = self.directory / "repository"
        repository.mkdir(parents=True)
        host = Host(directory=repository, index=self.index)
        host.manifest(
            f"{EDITABLE}: {{python: '{self.python}', project: {{path: {self.layout.project}, editable: true}}}}\n"
            f"{BUILT}: {{python: '{self.python}', project: {{path: {self.layout.project}}}}}"
        )
        self.layout.write(repository)
        installer = Installer(directory=self.directory / "fresh", url=self.index.url, python=self.python)
        results = self._applied(host, installer, START, self._fresh(host, installer))
        yield from results
        for name in edits:
            if any(each.bad for each in results):
                self._begin_again(host)
            if EDITS[name](self.layout, repository, self.index.directory):
                results = self._after(host, installer, name)
            else:
                results = [self._result(name, each, Verdict.ABSENT) for each in (EDITABLE, BUILT)]
            yield from results

    def _begin_again(self, host: Host) -> None:
        """Apply from nothing, so that a fault of one edit does not count again at the next one."""
        shutil.rmtree(host.root, ignore_errors=True)
        host.envsync("apply", "--yes")

    def _after(self, host: Host, installer: Installer, edit: str) -> list[Result]:
        """Check and apply after an edit."""
        fresh = self._fresh(host, installer)
        before = {name: (self._installed(host, name), self._facts(host, name)) for name in fresh}
        tree = source_tree(host.directory)
        green = self._green(host)
        touched = tuple(changes(tree, source_tree(host.directory)))
        found = []
        applied = {each.environment: each for each in self._applied(host, installer, edit, fresh)}
        for name, expected in fresh.items():
            files, facts = before[name]
            equal = (files, facts) == (expected.files, expected.facts)
            after, reasons = applied[name], tuple(differences(expected.files, files))
            if facts != expected.facts:
                reasons += (f"its module says {facts!r}, in a fresh installation {expected.facts!r}",)
            if green[name]:
                verdict = Verdict.SAME if equal else Verdict.MISSED
            elif equal:
                verdict, reasons = Verdict.ANY_FILE if self.layout.programs else Verdict.NEEDLESS, ()
            else:
                verdict = Verdict.REPAIRED
            if after.verdict is not Verdict.SAME and verdict is not Verdict.MISSED:
                verdict, reasons = after.verdict, after.reasons
            left = (*(f"check {each}" for each in touched), *after.left_behind)
            found.append(
                Result(
                    layout=self.layout.name,
                    edit=edit,
                    environment=name,
                    verdict=verdict,
                    reasons=reasons,
                    left_behind=left,
                )
            )
        return found

    def _applied(self, host: Host, installer: Installer, edit: str, fresh: Mapping[str, Fresh]) -> list[Result]:
        """Apply, and compare both environments with fresh installations: `fresh`, or those of the new locks."""
        locks = self._locks(host)
        tree = source_tree(host.directory)
        ran = host.envsync("apply", "--yes")
        left = changes(tree, source_tree(host.directory))
        if edit != START and locks != self._locks(host):
            fresh = self._fresh(host, installer)
        green = self._green(host)
        results = []
        for name, expected in fresh.items():
            verdict, reasons = Verdict.SAME, []
            if ran.code:
                reasons = [f"apply exits with {ran.code}: {' '.join(ran.err.split())[-600:]}"]
            found = self._installed(host, name)
            if different := differences(expected.files, found):
                verdict = Verdict.FAILED if ran.code else Verdict.DIFFERS
                reasons += different
            elif (facts := self._facts(host, name)) != expected.facts:
                verdict = Verdict.DIFFERS
                reasons.append(f"its module says {facts!r}, in a fresh installation {expected.facts!r}")
            elif not green[name]:
                verdict = Verdict.DIFFERS
                reasons.append("`check` is red after apply")
            results.append(
                Result(
                    layout=self.layout.name,
                    edit=edit,
                    environment=name,
                    verdict=verdict,
                    reasons=tuple(reasons),
                    left_behind=tuple(
                        each for each in left if name == EDITABLE and each.partition(" ")[2] not in self._in_sources
                    ),
                )
            )
        return results

    def _fresh(self, host: Host, installer: Installer) -> dict[str, Fresh]:
        fresh = {
            name: installer.install(self.layout, host.directory, editable=name == EDITABLE)
            for name in (EDITABLE, BUILT)
        }
        self._in_sources |= {place for place in fresh[EDITABLE].written if not is_scratch(place)}
        return fresh

    def _green(self, host: Host) -> dict[str, bool]:
        """Return for each environment whether `check` finds no difference."""
        ran = host.envsync("check", "--output", "json")
        if ran.code not in {0, 2}:
            return dict.fromkeys((EDITABLE, BUILT), False)
        found = ran.json()["environments"]
        return {each["name"]: each["action"] == "no-op" and not each["blocked"] for each in found}

    def _installed(self, host: Host, name: str) -> dict[str, str]:
        venv = host.venv(name)
        return installed(venv.resolve(), {venv.resolve(): Path("venv")}) if venv.exists() else {}

    def _facts(self, host: Host, name: str) -> str:
        venv = host.venv(name)
        return facts_of(self.layout, venv) if venv.exists() else "not installed"

    def _locks(self, host: Host) -> dict[str, bytes]:
        return {each.name: each.read_bytes() for each in host.directory.glob(LOCKS)}

    def _result(self, edit: str, environment: str, verdict: Verdict) -> Result:
        return Result(layout=self.layout.name, edit=edit, environment=environment, verdict=verdict)
