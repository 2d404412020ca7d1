"""Reads git's own files, so that git itself need not run."""
