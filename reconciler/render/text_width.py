"""The width of text on a terminal, in columns."""


def cell_width(text: str) -> int:
    """Return how many columns of a terminal `text` takes: wide characters take two, combining ones none."""
    if text.isascii():
        return len(text)
    from rich.cells import cell_len  # imported only for text that needs its tables

    return cell_len(text)


def truncate(text: str, room: int) -> str:
    """Return `text`, or its beginning and `...` if it takes more than `room` columns (at least 3)."""
    if cell_width(text) <= room:
        return text
    if text.isascii():
        return f"{text[: room - 3]}..."
    from rich.cells import set_cell_size

    return f"{set_cell_size(text, room - 3)}..."
