"""`python -m reconciler` is `envsync`."""

from reconciler.cli import main

if __name__ == "__main__":
    main()
