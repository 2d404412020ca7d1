"""envsync keeps the Python virtual environments of a machine equal to a manifest in git."""

__version__ = "0.1.0"
