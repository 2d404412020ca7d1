"""Answers `plan` and `check` quickly if nothing changed (docs/design.md, "Speed").

Nearly every `plan` and `check` finds nothing to do. The full program needs more time for its imports than it takes to
examine a hundred environments. So a run remembers what it found, and the next one only checks that this still holds.

What is remembered. At its end, a full run writes a few cache files (`record`). They say which files the manifest was
read from, and for each environment without a difference that its desired state equals its last applied state: the
agreement (`record_environment`). An agreement has the stat signatures of all that it depends on: record, seal,
inventory, lock and interpreter. It also has the parts of the inventory that the next run needs: metadata files for
depth `metadata` (`metadata_columns`), and for depth `files` the files that no other environment shares (`own_columns`,
with short paths from `relative_paths`). Nothing is remembered of an environment that depends on files elsewhere, nor of
a file that may have changed while the run examined it (`completed_run`).

What is examined again. The next `plan` or `check` imports built-in modules only. It parses the arguments
(`command_line`), finds the root in the manifest's `root:` line (`root_line`), reads the cache files and compares the
signatures of their evidence (`agreement`). Then it examines the environments themselves: each directory, and each inode
once, with `lstat` (`stat_check`). With several environments, two processes share the work (`unchanged`). If everything
is as remembered, `answer` prints the one line.

When it gives up. An option that it does not know, a missing or damaged cache file, a signature that changed, anything
added or removed: in each case it prints nothing, and the full program runs and answers. The full program uses the same
cache files to skip environments that did not change, if it has to examine others (`quick_comparison`).
"""
