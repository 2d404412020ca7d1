"""What a format renders: a plan, what an apply made of it, and where the manifest names each environment.

Text and JSON have their own modules; here is the way to all others, each imported only where it is asked for.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal, TypeAlias, assert_never

from reconciler.canonical_json import Json
from reconciler.events import RunFinished
from reconciler.plan.model import Plan

Command: TypeAlias = Literal["plan", "check", "apply"]


class Format(StrEnum):
    """How `plan`, `check`, `apply` and `show` print."""

    TEXT = "text"
    JSON = "json"
    MARKDOWN = "markdown"
    GITHUB = "github"
    SARIF = "sarif"
    JUNIT = "junit"
    GITLAB = "gitlab"
    HTML = "html"


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """One command's outcome, as a format needs it.

    `file` is the manifest as the user named it, `places` an environment's place in it (`envs.yaml:12:3`). `result` is
    an apply's. `runs` are the history's newest, newest first, and `graphs` by environment the installed distributions
    and the normalized names that each requires: for the page alone.
    """

    plan: Plan
    command: Command
    file: str
    places: Mapping[str, str] = field(default_factory=dict)
    result: RunFinished | None = None
    runs: tuple[Mapping[str, Json], ...] = ()
    graphs: Mapping[str, Mapping[str, tuple[str, ...]]] = field(default_factory=dict)

    def line(self, environment: str) -> int:
        """Return the manifest's line that declares an environment; 1 where none does."""
        return self._place(environment)[0]

    def column(self, environment: str) -> int:
        """Return the column in that line; 1 where none declares it."""
        return self._place(environment)[1]

    def _place(self, environment: str) -> tuple[int, int]:
        _, _, rest = self.places.get(environment, "").partition(f"{self.file}:")
        line, _, column = rest.partition(":")
        return int(line) if line.isdecimal() else 1, int(column) if column.isdecimal() else 1


def render_report(report: Report, form: Format) -> str:
    """Return the report in one of the formats that are neither text nor JSON; ends with a line end."""
    match form:
        case Format.MARKDOWN:
            from reconciler.render.markdown import markdown

            return markdown(report)
        case Format.GITHUB:
            from reconciler.render.github import github

            return github(report)
        case Format.SARIF:
            from reconciler.render.sarif import sarif

            return sarif(report)
        case Format.JUNIT:
            from reconciler.render.junit import junit

            return junit(report)
        case Format.GITLAB:
            from reconciler.render.gitlab import gitlab

            return gitlab(report)
        case Format.HTML:
            from reconciler.render.html import html

            return html(report)
        case Format.TEXT | Format.JSON:
            raise ValueError(f"{form} is rendered where it is asked for")
        case _:
            assert_never(form)
