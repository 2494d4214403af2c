"""What the frontend can be told on its command line."""

from pathlib import Path

import pytest

from frontend.settings import parse_settings, parse_url


def test_a_catalogue_or_a_gateway_is_enough() -> None:
    assert parse_settings(["--catalogue", "models.json"]).catalogue == Path("models.json")
    assert parse_settings(["--gateway", "https://models.example.com/"]).gateway == "https://models.example.com"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "give --catalogue FILE, --gateway URL, or both"),
        (
            ["--gateway", "models.example.com"],
            "'models.example.com' is not an address such as http://models.example.com",
        ),
        (["--gateway", "http://"], "'http://' is not an address"),
        (["--gateway", "http://a/?b=c"], "'http://a/?b=c' is not an address"),
        (["--gateway", "http://a:b"], "argument --gateway"),
        (["--gateway", "http://a", "--port", "65536"], "'65536' is not a port, 0 to 65535"),
        (["--gateway", "http://a", "--max-body-bytes", "0"], "'0' is not a whole number above 0"),
        (["--gateway", "http://a", "--timeout-seconds", "nan"], "'nan' is not a number of seconds"),
        (["--gateway", "http://a", "--body-timeout-seconds", "-1"], "'-1' is not a number of seconds"),
        (["--gate", "http://a"], "unrecognized arguments"),
    ],
)
def test_an_option_that_cannot_be_is_named(arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        parse_settings(arguments)
    assert ended.value.code == 2
    assert said in capsys.readouterr().err


def test_every_option_has_a_help(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parse_settings(["--help"])
    assert "None" not in capsys.readouterr().out.replace("(default: None)", "")


def test_an_address_keeps_its_path() -> None:
    assert parse_url("https://example.com/models/") == "https://example.com/models"
