"""`python -m docs.generate`: write every generated page again."""

from docs.generate.pages import write_pages

if __name__ == "__main__":
    write_pages()
