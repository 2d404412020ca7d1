"""Time envsync and other tools, as whole processes on real environments: `python -m benchmarks`."""
