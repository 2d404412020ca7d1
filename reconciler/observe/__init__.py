"""Reads what is on disk into an `ActualState`, and runs none of it."""
