"""Compare manifest and locks with those of a git revision, without environments, interpreters or network."""
