"""The report as Markdown, for a pull request's comment, a step summary or a merge request's note."""

from reconciler.render.markdown.document import MARKER, MAX_LENGTH, markdown

__all__ = ["MARKER", "MAX_LENGTH", "markdown"]
