"""What a change of manifest and locks will do, by a git revision of them: no environment, interpreter or network."""
