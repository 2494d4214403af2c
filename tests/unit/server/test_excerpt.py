"""What error messages show of what they were given."""

from typing import Any

import pytest
from hypothesis import given
from json_values import values

from model_server.excerpt import condense, shorten


@given(values)
def test_a_message_shows_a_value_as_python_writes_it(value: Any) -> None:
    text = repr(value)
    assert shorten(value) == (text if len(text) <= 60 else text[:57] + "...")


@pytest.mark.parametrize("value", ["a" * 10**6, [[]] * 10**6, {str(key): {} for key in range(10**5)}])
def test_a_message_looks_at_no_more_of_a_value_than_it_shows(value: Any) -> None:
    assert shorten(value) == repr(value)[:57] + "..."
    value = [value] * 10**6  # writing out all of it would take terabytes
    assert shorten(value) == repr(value[0])[:56].join(("[", "..."))


def test_an_error_is_one_line_and_its_beginning() -> None:
    assert condense(RuntimeError("Check failed:\n  at 'graph.cpp'\n\tshapes differ\n")) == (
        "Check failed: at 'graph.cpp' shapes differ"
    )
    assert condense(RuntimeError("word " * 10**5)) == ("word " * 60)
    assert condense(ValueError()) == ""
