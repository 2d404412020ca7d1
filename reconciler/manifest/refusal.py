"""How a single text is refused, before anybody knows where in which file it stands."""


class RefusedError(ValueError):
    """A text cannot be what it should be; `offset` and `width` are characters within it, where known."""

    def __init__(self, message: str, *, hint: str = "", offset: int | None = None, width: int = 1) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.offset = offset
        self.width = width
