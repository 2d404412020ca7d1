"""Diff and policy to Plan; pure."""
