"""The pages of the documentation, and what makes them; a package so that no other `docs` is imported in its place."""
