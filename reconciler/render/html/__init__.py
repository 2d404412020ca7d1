"""The report as one page that needs nothing else: no network, no second file."""

from reconciler.render.html.page import html

__all__ = ["html"]
