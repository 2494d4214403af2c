"""Figures as text."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from model_builder.scores import Share


def format_table(rows: Sequence[Sequence[str]], words: int) -> str:
    """Return rows of cells as lines; the first ``words`` columns stand to the left, the others to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "   ".join(
            cell.ljust(width) if number < words else cell.rjust(width)
            for number, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    )


def format_bytes(count: int) -> str:
    """Return a size in powers of 1000: ``25.6 MB``."""
    size = float(count)
    for unit in ("bytes", "kB", "MB"):
        if size < 1000:
            return f"{count} {unit}" if unit == "bytes" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} GB"


def format_share(value: float | None) -> str:
    """Return a share from 0 to 1 as a percentage, a dash where it is unknown."""
    return "-" if value is None else f"{100 * value:.2f}%"


def format_interval(share: "Share") -> str:
    """Return a share and between which bounds it lies."""
    return f"{100 * share.value:.2f}% ({100 * share.low:.1f} to {100 * share.high:.1f})"
