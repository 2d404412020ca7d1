"""envsync on systems that lack something: each optional fact of the operating system is missing or fails in turn."""
