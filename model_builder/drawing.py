"""An assessment as a picture: how often each variant is right, and what is mistaken for what."""

import io
from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib import colormaps, rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from model_builder.assessment import Assessment
from model_builder.scores import Share
from model_server.types import Int64Array

ALL_CLASSES, WORST_CLASSES = 50, 20
"""With more classes than the first, as many as the second are drawn: the most confused."""
COUNTED_CLASSES = 25
"""Up to so many classes, numbers fit into the cells."""
LABEL_LETTERS = 24
COLOURS = colormaps["Blues"]
"""One hue from light to dark: read alike by all eyes, and in grey."""
INK, FAINT, BAR = "#1b1b1b", "#d0d0d0", COLOURS(0.6)
DARK = 0.6
"""From here on, white is read on the colour and black is not."""
DOTS_PER_INCH = 150
CELL, SMALL_CELL, BAR_HEIGHT, GAP, LEAST_WIDTH = 0.42, 0.21, 0.38, 0.85, 4.2
"""Inches."""


@rc_context({"text.parse_math": False})  # a dollar in a label is a dollar
def draw_assessment(assessment: Assessment) -> bytes:
    """Return a PNG file: every variant's top-1 with its interval, and the confusion matrix of the first variant."""
    manifest = assessment.bundle.manifest
    name, scores = next(iter(assessment.scores.items()))
    matrix = _Matrix(scores.confusion, manifest.labels)
    cell = SMALL_CELL if matrix.is_small else CELL
    width = max(LEAST_WIDTH, cell * len(matrix.columns))
    height, bars = width * len(matrix.rows) / len(matrix.columns), BAR_HEIGHT * len(assessment.scores)
    figure = Figure(figsize=(width, height + GAP + bars), dpi=DOTS_PER_INCH)
    whole = height + GAP + bars
    upper = figure.add_axes((0, (height + GAP) / whole, 1, bars / whole))
    lower = figure.add_axes((0, 0, 1, height / whole))
    trained = "" if manifest.trained_on else "\nnever trained: its labels mean nothing"
    title = f"{manifest.name} {assessment.bundle.version}\n{assessment.images} pictures of {assessment.data}{trained}"
    figure.text(0, 1 + 0.4 / whole, title, fontsize=12, fontweight="bold", va="bottom", color=INK)
    _draw_shares(upper, {name: scores.top_1 for name, scores in assessment.scores.items()})
    lower.set_title(f"Confusion of {name}{matrix.note}", loc="left", fontsize=10, color=INK)
    _draw_matrix(lower, matrix)
    file = io.BytesIO()
    figure.savefig(file, format="png", bbox_inches="tight", pad_inches=0.2, metadata={"Software": None})
    return file.getvalue()


def choose_classes(confusion: Int64Array) -> Int64Array:
    """Return the numbers of the classes to draw, in their order: all that occur, or the most confused of them."""
    occur = np.flatnonzero(confusion.sum(axis=0) + confusion.sum(axis=1))
    if len(occur) <= ALL_CLASSES:
        return occur
    mistakes = confusion.sum(axis=0) + confusion.sum(axis=1) - 2 * confusion.diagonal()
    return np.sort(np.argsort(-mistakes, kind="stable")[:WORST_CLASSES])


class _Matrix:
    """What is drawn of a confusion matrix: ``counts`` with a name for each row and column."""

    def __init__(self, confusion: Int64Array, labels: Sequence[str]) -> None:
        chosen = choose_classes(confusion)
        occurring = int(np.count_nonzero(confusion.sum(axis=0) + confusion.sum(axis=1)))
        self.totals = confusion[chosen].sum(axis=1, keepdims=True)
        self.counts = confusion[np.ix_(chosen, chosen)]
        self.rows = [_shorten(labels[number]) for number in chosen]
        self.columns = list(self.rows)
        self.is_small = len(chosen) > COUNTED_CLASSES
        self.note = ""
        if len(chosen) < occurring:
            self.note = f", the {len(chosen)} most confused of {occurring} labels"
            self.columns.append("others")
            self.counts = np.hstack([self.counts, self.totals - self.counts.sum(axis=1, keepdims=True)])


def _draw_shares(axes: Axes, shares: Mapping[str, Share]) -> None:
    places, names = np.arange(len(shares)), list(shares)
    values = np.array([share.value for share in shares.values()])
    lows, highs = (np.array([getattr(share, end) for share in shares.values()]) for end in ("low", "high"))
    axes.barh(places, values, height=0.6, color=BAR)
    axes.errorbar(
        values, places, xerr=[values - lows, highs - values], fmt="none", ecolor="black", elinewidth=1.5, capsize=4
    )
    for place, share in enumerate(shares.values()):
        text = f"{100 * share.value:.1f}%  ({100 * share.low:.1f} to {100 * share.high:.1f})"
        axes.text(1.02, place, text, transform=axes.get_yaxis_transform(), va="center", fontsize=9)
    axes.set(yticks=places, yticklabels=names, xlim=(0, 1), ylim=(len(shares) - 0.5, -0.5))
    axes.xaxis.set_major_formatter(lambda value, _: f"{100 * value:.0f}%")
    axes.tick_params(labelsize=9, length=0)
    axes.set_title("Top-1 accuracy, with its 95% interval (Wilson)", loc="left", fontsize=10)
    axes.spines[["top", "right"]].set_visible(False)


def _draw_matrix(axes: Axes, matrix: _Matrix) -> None:
    shares = matrix.counts / np.maximum(matrix.totals, 1)
    image = axes.imshow(shares, cmap=COLOURS, vmin=0, vmax=1, aspect="auto")
    upright = max(map(len, matrix.columns)) > 3
    axes.set_xticks(range(len(matrix.columns)), matrix.columns, rotation=90 if upright else 0)
    axes.set_yticks(range(len(matrix.rows)), matrix.rows)
    axes.tick_params(length=0, labelsize=7 if matrix.is_small else 9)
    axes.set(xlabel="what the model says", ylabel="truth")
    axes.set_xticks(np.arange(1, len(matrix.columns)) - 0.5, minor=True)
    axes.set_yticks(np.arange(1, len(matrix.rows)) - 0.5, minor=True)
    axes.grid(which="minor", color=FAINT, linewidth=0.5)
    axes.tick_params(which="minor", length=0)
    if not matrix.is_small:
        for (row, column), count in np.ndenumerate(matrix.counts):
            if count:
                colour = "white" if shares[row, column] > DARK else INK
                text = _short_number(int(count))
                axes.text(column, row, text, ha="center", va="center", fontsize=8, color=colour)
    bar = axes.figure.colorbar(image, cax=axes.inset_axes((1.03, 0, 0.03, 1)))
    bar.set_label("share of the truth's pictures", fontsize=9)
    bar.ax.yaxis.set_major_formatter(lambda value, _: f"{100 * value:.0f}%")
    bar.ax.tick_params(labelsize=9)


def _shorten(label: str) -> str:
    return label if len(label) <= LABEL_LETTERS else f"{label[: LABEL_LETTERS - 1]}…"


def _short_number(count: int) -> str:
    """Return at most four letters, so that they fit into a cell."""
    return str(count) if count < 10_000 else f"{count / 1000:.0f}k"
