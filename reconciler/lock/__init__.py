"""DesiredState to Lock (PEP 751): read, resolve, write, select."""
