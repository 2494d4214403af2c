"""What a script can't do."""


class StepError(Exception):
    """A step can't be taken. ``next_step`` is what the person in front of the screen should try."""

    def __init__(self, message: str, next_step: str) -> None:
        super().__init__(message)
        self.next_step = next_step


class NotAnsweringError(StepError):
    """The cluster's API does not answer, which may pass."""
