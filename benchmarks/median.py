"""The median of what several rounds measured."""

import statistics
from collections.abc import Sequence
from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any, TypeVar, get_args

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Row = TypeVar("Row", bound="DataclassInstance")


def take_median(rows: Sequence[Row]) -> Row:
    """Return the median of every float over the rounds that have it, None where none has; the rest is the first's."""
    medians: dict[str, Any] = {}
    for field in fields(rows[0]):
        if float in (field.type, *get_args(field.type)):
            values = [value for each in rows if (value := getattr(each, field.name)) is not None]
            medians[field.name] = statistics.median(values) if values else None
    return replace(rows[0], **medians)
