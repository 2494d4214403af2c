"""Which pictures calibrate and which measure: never the same."""

import numpy as np

from model_builder.album import Pictures
from model_builder.errors import BuildError


def split_pictures(pictures: Pictures, most: int, seed: int) -> tuple[Pictures, Pictures]:
    """Return at most ``most`` pictures, and at most half of them, to calibrate with; then the rest, to measure with.

    Where they are labelled, each class gives its share. A seed always gives the same two parts.

    Raises:
        BuildError: there are fewer than two.
    """
    if len(pictures) < 2:
        raise BuildError(
            f"{pictures.option}: {len(pictures)} picture; at least 2 are needed, one to calibrate and another to "
            "measure, and some hundreds are better"
        )
    order = np.random.default_rng(seed).permutation(len(pictures))
    if pictures.classes is not None:
        order = order[np.argsort(_places(pictures.classes[order]), kind="stable")]
    count = min(most, len(pictures) // 2)
    return pictures.take(np.sort(order[:count])), pictures.take(np.sort(order[count:]))


def _places(
    classes: "np.ndarray[tuple[int, ...], np.dtype[np.int64]]",
) -> "np.ndarray[tuple[int, ...], np.dtype[np.float64]]":
    """Return where each picture stands among those of its class, from 0 to 1: the first of every class come first."""
    places = np.empty(len(classes))
    for number in np.unique(classes):
        of_class = np.flatnonzero(classes == number)
        places[of_class] = (np.arange(len(of_class)) + 0.5) / len(of_class)
    return places
