"""Disk to ActualState; runs nothing of what it looks at."""
