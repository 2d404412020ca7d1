"""The error for a single invalid text, raised before its place in the manifest or in another file is known."""


class InvalidTextError(ValueError):
    """A text is not valid; `offset` and `width` count characters in it, if the invalid part is known."""

    def __init__(self, message: str, *, hint: str, offset: int | None = None, width: int = 1) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.offset = offset
        self.width = width
