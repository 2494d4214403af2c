"""Answers as `/model` and V1 write them: the labels of each image as a list of objects, best first."""

import orjson

from model_server.types import Answer, Signature


def encode_predictions(answer: Answer, signature: Signature, *, single: bool = False) -> bytes:
    """Write ``{"model", "revision", "predictions"}``.

    Args:
        single: ``predictions`` is the one image's list, rather than a list of such lists.
    """
    images = [
        [
            {"label": label, "class": number, "probability": probability}
            for label, number, probability in zip(labels, classes, probabilities, strict=True)
        ]
        for labels, classes, probabilities in zip(
            answer.labels, answer.classes.tolist(), answer.probabilities.tolist(), strict=True
        )
    ]
    predictions = images[0] if single else images
    document = {"model": signature.name, "revision": signature.version, "predictions": predictions}
    return orjson.dumps(document, option=orjson.OPT_APPEND_NEWLINE)
