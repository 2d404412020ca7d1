"""Whether the requirement sets of common application stacks apply; `python -m benchmarks.compatibility` runs them."""
