"""Images as they are: one as the raw body, or many as the parts of a multipart form."""

from collections.abc import Mapping

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import Field, File, FormParser, parse_options_header

from model_server.codec.options import read_query_string
from model_server.errors import InvalidInput, TooLarge
from model_server.excerpt import shorten
from model_server.types import EncodedImages, Query, Signature

MAGIC = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"RIFF")
HOW = "send one image with --data-binary @cat.jpg, or many with -F image=@cat.jpg -F image=@dog.jpg"


def decode_images(body: bytes, content_type: str, query: Mapping[str, str], signature: Signature) -> tuple[Query, bool]:
    """Read a raw or multipart body; the bytes say which it is, then the Content-Type.

    Returns:
        The query, and whether it was a single raw image.

    Raises:
        InvalidInput: an empty body, a malformed form, or a part that is no file.
        TooLarge: more parts than the model takes.
    """
    top_k, timeout_seconds = read_query_string(query, signature.class_count)
    if not body:
        raise InvalidInput(f"the body is empty (is the file there?); {HOW}")
    multipart = is_form(body, content_type)
    files = _parts(body, content_type, signature.max_images) if multipart else [body]
    return Query(EncodedImages(files), top_k=top_k, timeout_seconds=timeout_seconds), not multipart


def is_form(body: bytes, content_type: str) -> bool:
    """Tell whether a body is a multipart form, rather than an image as it is."""
    return content_type.lower().startswith("multipart/form-data") and not body.startswith(MAGIC)


def _parts(body: bytes, content_type: str, max_images: int) -> list[bytes]:
    files: list[bytes] = []

    def take_file(file: File) -> None:
        if len(files) == max_images:
            raise TooLarge(f"more than {max_images} images in one request: send several requests")
        file.file_object.seek(0)
        files.append(file.file_object.read())
        file.close()

    def take_field(field: Field) -> None:
        name = (field.field_name or b"").decode(errors="replace")
        raise InvalidInput(
            f"form field {shorten(name)} is no file; {HOW}; top_k and timeout go into the address, as ?top_k=3"
        )

    complete = []
    boundary = parse_options_header(content_type)[1].get(b"boundary")
    try:
        parser = FormParser(
            "multipart/form-data",
            take_field,
            take_file,
            on_end=lambda: complete.append(True),
            boundary=boundary,
            config={"MAX_MEMORY_FILE_SIZE": len(body)},  # nothing is spooled to the disk: it may be read-only
        )
        parser.write(body)
        parser.finalize()
    except FormParserError as error:
        raise InvalidInput(f"the multipart form is malformed: {error}; {HOW}") from error
    if not complete:
        raise InvalidInput(f"the multipart form ends before its closing boundary; {HOW}")
    if not files:
        raise InvalidInput(f"the multipart form holds no file; {HOW}")
    return files
