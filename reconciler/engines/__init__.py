"""Package tools behind one interface: resolve, create a venv, install what a lock selects."""
