"""KServe's V1 protocol: ``{"instances": [{"image": {"b64": "…"}}, …]}``.

The format is TensorFlow Serving's, https://www.tensorflow.org/tfx/serving/api_rest, with one image an instance.
"""

from typing import Any

from model_server.codec.base64_image import decode_base64
from model_server.codec.document import parse_document
from model_server.codec.options import read_parameters
from model_server.errors import InvalidInput, too_many_images
from model_server.excerpt import describe, shorten
from model_server.types import EncodedImages, Query, Signature

SHAPE = 'an instance looks like {"image": {"b64": "<base64 of a JPEG, PNG or WebP file>"}}'


def decode_v1(body: bytes, signature: Signature) -> Query:
    """Read a ``:predict`` body; ``parameters`` may hold ``top_k`` and ``timeout``, as in V2.

    Raises:
        InvalidInput: anything else than that; the message names the field.
        TooLarge: more images than the model takes.
    """
    document = parse_document(body)
    for key in document:
        if key not in ("instances", "parameters"):
            raise InvalidInput(f"{shorten(key)} is not a field of a V1 request; instances and parameters are")
    instances = document.get("instances")
    if not isinstance(instances, list) or not instances:
        raise InvalidInput(f"{describe('instances', instances)}; it must be a list of at least one; {SHAPE}")
    if len(instances) > signature.max_images:
        raise too_many_images(f"instances holds {len(instances)} images", signature.max_images)
    parameters = document.get("parameters", {})
    if not isinstance(parameters, dict):
        raise InvalidInput(f"parameters = {shorten(parameters)}; it must be an object")
    top_k, timeout_seconds = read_parameters(parameters, signature.class_count)
    files = [_image(index, instance) for index, instance in enumerate(instances)]
    return Query(EncodedImages(files), top_k=top_k, timeout_seconds=timeout_seconds)


def _image(index: int, instance: Any) -> bytes:
    match instance:
        case {"image": {"b64": str(text), **within}, **beside}:
            if unknown := [*beside, *(f"image.{key}" for key in within)]:
                raise InvalidInput(f"{shorten(unknown[0])} is not a field of instances[{index}]; {SHAPE}")
            return decode_base64(text, f"instances[{index}].image.b64")
    raise InvalidInput(f"instances[{index}] = {shorten(instance)}; {SHAPE}")
