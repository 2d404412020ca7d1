"""Plan to Events: build, verify, probe, seal, publish, record."""
