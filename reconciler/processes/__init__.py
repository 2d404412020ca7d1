"""Starts other programs: the only place that uses `subprocess`, and what those programs may read and print."""
