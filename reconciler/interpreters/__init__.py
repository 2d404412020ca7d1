"""Base Python interpreters: discovers them, queries their facts, and chooses one for a request."""
