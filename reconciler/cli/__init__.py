"""Arguments to reconcile to render to exit code."""
