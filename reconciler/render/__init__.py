"""Renders plans, events and results as text, JSON and reports, without reading or writing files."""
