"""Attacks: what another user or a commit could put in place of the files that envsync reads."""
