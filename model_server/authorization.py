"""Who may load and unload models: whoever knows the token."""

import hmac
from pathlib import Path

from model_server.errors import Forbidden, RetryLater, StartError, Unauthorized

OPTION = "--repository-token-file"
MIN_CHARACTERS = 16


class Authorization:
    """A token in a file, read again at each request, so that a rotated Kubernetes secret holds at once.

    Args:
        file: one word of at least ``MIN_CHARACTERS``; without a file nobody is let in.

    Raises:
        StartError: the file holds no such word.
    """

    def __init__(self, file: Path | None) -> None:
        self._file = file
        if file is not None:
            try:
                _read_token(file)
            except (OSError, ValueError) as error:
                raise StartError(f"{OPTION} {file}: {getattr(error, 'strerror', None) or error}") from error

    def check_token(self, authorization: str | None) -> None:
        """Let a request pass whose Authorization is ``Bearer`` and the token; gRPC's metadata has the same.

        Raises:
            Forbidden: the server was started without a token file.
            Unauthorized: there is no token, or another one.
            RetryLater: the file can't be read now.
        """
        if self._file is None:
            raise Forbidden(f"models are not loaded or unloaded here; start the server with {OPTION} FILE to allow it")
        scheme, _, given = (authorization or "").partition(" ")
        if scheme.lower() != "bearer" or not given.strip():
            raise Unauthorized("a token is needed; send 'Authorization: Bearer TOKEN' with the server's token")
        try:
            token = _read_token(self._file)
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or error  # where the file is, is no client's business
            raise RetryLater(f"the server's token file can't be used now: {reason}") from error
        if not hmac.compare_digest(given.strip().encode("latin-1", "replace"), token):
            raise Unauthorized("the token is not the server's; send 'Authorization: Bearer TOKEN' with the one that is")


def _read_token(file: Path) -> bytes:
    words = file.read_bytes().split()
    if len(words) != 1 or len(words[0]) < MIN_CHARACTERS:
        raise ValueError(f"it must hold one word of at least {MIN_CHARACTERS} characters, the token")
    return words[0]
