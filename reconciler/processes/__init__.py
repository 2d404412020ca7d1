"""Programs that envsync starts: the one subprocess seam, and what those programs may see and say."""
