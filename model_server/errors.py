"""Every refusal the server can give, with the HTTP status it carries.

A message names the field, the value and what would be accepted: it is read by the person who sent the request.
"""


class ServingError(Exception):
    """A request that gets an error instead of labels."""

    status = 500

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class InvalidInput(ServingError):
    """The request can never be answered as it stands."""

    status = 400


class Unauthorized(ServingError):
    """A token is needed, and none came or another one."""

    status = 401


class Forbidden(ServingError):
    """Nobody may do this on this server, with a token or without."""

    status = 403


class ModelNotFound(ServingError):
    """No such model, version or sample."""

    status = 404


class LoadFailed(ServingError):
    """The bundle that was to be loaded is refused; what was served before goes on being served."""

    status = 409


class TooLarge(ServingError):
    """A body or a batch over its limit."""

    status = 413


def too_many_images(found: str, most: int) -> TooLarge:
    """Return the refusal of a request with more than ``most`` images; ``found`` says how many it has, and where."""
    return TooLarge(f"{found}; at most {most} are taken: send several requests")


class UnsupportedMediaType(ServingError):
    """A Content-Type or Content-Encoding that nobody here reads."""

    status = 415


class RequestTimeout(ServingError):
    """The client took too long to send its body."""

    status = 408


class RetryLater(ServingError):
    """The request is fine; the server can't take it now.

    ``retry_after_seconds`` is a whole number, at least 1, for the Retry-After header.
    """

    status = 503

    def __init__(self, message: str, retry_after_seconds: float = 1.0) -> None:
        super().__init__(message)
        self.retry_after_seconds = max(1, round(retry_after_seconds))


class QueueFull(RetryLater):
    """Too many images wait already."""

    status = 429


class DeadlineUnmet(RetryLater):
    """The work that is already accepted leaves no time to answer before the deadline."""


class NotReady(RetryLater):
    """The model is loading, or the server has stopped accepting."""


class BundleError(Exception):
    """A model bundle that must not be served; the message names the file and what would do."""


class StartError(Exception):
    """The server can't start; the message says what to do."""
