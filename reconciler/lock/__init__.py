"""Locks (PEP 751): read, resolve, write, and select packages from them."""
