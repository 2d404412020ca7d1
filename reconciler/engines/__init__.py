"""The one place that runs a package tool, and the one subprocess seam."""
