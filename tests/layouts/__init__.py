"""Real project layouts: `apply` gives what `uv pip install` gives, before and after edits."""
