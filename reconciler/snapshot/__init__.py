"""A host's actual state in a file, to be judged elsewhere."""
