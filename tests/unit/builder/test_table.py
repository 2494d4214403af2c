import pytest

from model_builder.table import format_bytes, format_share, format_table


def test_words_stand_to_the_left_and_figures_to_the_right() -> None:
    rows = [["a", "word", "figure"], ["bbb", "w", "1"]]
    assert format_table(rows, 2).splitlines() == ["a     word   figure", "bbb   w           1"]


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0 bytes"), (999, "999 bytes"), (1000, "1.0 kB"), (102_150_888, "102.2 MB"), (2_500_000_000, "2.5 GB")],
)
def test_bytes_are_read_in_powers_of_1000(count: int, text: str) -> None:
    assert format_bytes(count) == text


def test_an_unknown_share_is_a_dash() -> None:
    assert [format_share(None), format_share(0.0), format_share(0.99722)] == ["-", "0.00%", "99.72%"]
