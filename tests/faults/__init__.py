"""Faults on purpose: every system call that changes something is a place to be killed, or to be told no."""
