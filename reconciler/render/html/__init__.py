"""The report as one self-contained HTML page: no network, no second file."""

from reconciler.render.html.page import html

__all__ = ["html"]
