"""Attacks: what somebody else could put in place of the files that envsync reads."""
