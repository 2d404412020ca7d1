"""What outlives a run: records, seals, inventories, the history, and the root mutex."""
