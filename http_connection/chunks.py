"""A body in chunks: https://www.rfc-editor.org/rfc/rfc9112#section-7.1."""

from collections.abc import Callable

import httptools

from http_connection.errors import BrokenRequestError

MAX_BYTES_BETWEEN, MAX_BYTES_BEFORE = 64 << 10, 32
"""What may stand between and behind the chunks of a body, and before each: sizes, extensions and trailers."""
_HEAD = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"


class Chunks:
    """Reads them with a parser that knows nothing of the request's head: of one with an Upgrade it would read none.

    Args:
        take: called with what is in the chunks, in the pieces in which it comes.
    """

    def __init__(self, take: Callable[[bytes], None]) -> None:
        self.is_whole = False
        self._take = take
        self._between = self._count = 0
        self._raised: BrokenRequestError | None = None
        self._parser = httptools.HttpRequestParser(self)
        self._parser.feed_data(_HEAD)

    def read(self, data: bytes) -> bool:
        """Take what is in chunks; return whether something stands behind the last, where it ends nobody knows.

        Raises:
            HttpParserError: they are not as they have to be.
            BrokenRequestError: too much is between them, or behind; or ``take`` raised it.
        """
        self._between += len(data)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError:
            if self.is_whole:
                return True
            if self._raised is not None:
                raise self._raised from None
            raise
        if self._between > MAX_BYTES_BETWEEN + MAX_BYTES_BEFORE * self._count:
            raise BrokenRequestError(
                431, f"the body has more than {MAX_BYTES_BETWEEN} bytes between or behind its chunks; send it as it is"
            )
        return False

    def on_message_begin(self) -> None:
        """Stop at what is behind the last chunk."""
        if self.is_whole:
            raise BrokenRequestError(400, "something is behind its chunks")

    def on_chunk_header(self) -> None:
        """Count a chunk."""
        self._count += 1

    def on_body(self, body: bytes) -> None:
        """Hand on what is in a chunk, or a piece of it."""
        self._between -= len(body)
        try:
            self._take(body)
        except BrokenRequestError as error:
            self._raised = error
            raise

    def on_message_complete(self) -> None:
        """Note the end."""
        self.is_whole = True
