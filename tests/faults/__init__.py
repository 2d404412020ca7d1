"""Fault injection: before every system call that changes a file, a program is killed or the call fails."""
