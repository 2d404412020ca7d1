"""Changes the code of envsync in one place at a time, and checks that a test fails: `python -m tests.mutation`."""
