"""What a report renders: a plan, the result of its apply, and where the manifest declares each environment."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from reconciler.canonical_json import Json
from reconciler.events import EnvironmentFinished, RunFinished
from reconciler.plan.model import Plan

Command: TypeAlias = Literal["plan", "check", "apply"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """One command's outcome, as the formats need it.

    `file` is the manifest as the user named it. `places` has each environment's place in it (`envs.yaml:12:3`).
    `result` is None unless the command is `apply`. Only the HTML page uses `runs`, the latest runs with the newest
    first, and `graphs`: by environment, the installed distributions and the normalized names that each requires.
    """

    plan: Plan
    command: Command
    file: str
    places: Mapping[str, str]
    result: RunFinished | None = None
    runs: tuple[Mapping[str, Json], ...] = ()
    graphs: Mapping[str, Mapping[str, tuple[str, ...]]] = field(default_factory=dict)

    @property
    def finished(self) -> dict[str, EnvironmentFinished]:
        """Return by name how an apply ended for each environment; empty without a result."""
        return {each.environment: each for each in self.result.environments} if self.result is not None else {}

    def line(self, environment: str) -> int:
        """Return the manifest's line that declares an environment, 1 if it is not declared."""
        return self._place(environment)[0]

    def column(self, environment: str) -> int:
        """Return the column in that line, 1 if the environment is not declared."""
        return self._place(environment)[1]

    def _place(self, environment: str) -> tuple[int, int]:
        _, _, rest = self.places.get(environment, "").partition(f"{self.file}:")
        line, _, column = rest.partition(":")
        return int(line) if line.isdecimal() else 1, int(column) if column.isdecimal() else 1
