"""Times envsync beside other tools, whole processes on real environments: `python -m benchmarks`."""
