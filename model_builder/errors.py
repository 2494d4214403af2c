"""What the builder refuses to do."""


class BuildError(Exception):
    """A bundle can't be made as asked; the message names the value and what would do."""
