"""The output formats, and the renderer of each; a renderer is imported only when its format is requested."""

from enum import StrEnum
from typing import assert_never

from reconciler.render.report import Report


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


def render_report(report: Report, form: Format) -> str:
    """Return a report in any format but text and JSON, which have their own renderers; ends with a line end."""
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
            raise ValueError(f"{form} is not a format of reports")
        case _:
            assert_never(form)
