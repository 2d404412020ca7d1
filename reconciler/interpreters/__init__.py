"""Base Python interpreters: found, asked for their facts, and chosen for a request."""
