import pytest

from model_builder.progress import tell


def test_it_tells_how_far_it_is_every_five_seconds_and_yields_everything(capsys: pytest.CaptureFixture[str]) -> None:
    times = iter([0.0, 1.0, 4.9, 5.0, 9.9, 20.0, 20.0])
    assert list(tell("abcdef", "reading", lambda: next(times))) == list("abcdef")
    assert capsys.readouterr().err.splitlines() == ["reading: 6", "reading: 2 of 6", "reading: 4 of 6"]
