"""A host's actual state in a file, so that another machine can make the plan."""
