"""What outlives a run: ownership, seals, inventories, history, and the root's lock."""
