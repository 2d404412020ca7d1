"""Files and directories: bounded reads, atomic writes, flushes to disk, and deletes that follow no symbolic link."""
