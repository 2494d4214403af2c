"""The command line: what it means, and how it refuses."""

from pathlib import Path

import pytest

from model_server.settings import DEFAULT_MODELS, Settings, parse_settings


def test_no_arguments_give_the_defaults() -> None:
    assert parse_settings([]) == Settings()


def test_named_models_alone_leave_the_default_folder_out() -> None:
    assert parse_settings(["--model", "cats=models/resnet"]).models == ()
    settings = parse_settings(["--model", "cats=models/resnet", "--models", "more", "--models", "others"])
    assert settings.models == (Path("more"), Path("others"))
    assert settings.named_models == (("cats", Path("models/resnet")),)
    assert parse_settings([]).models == (DEFAULT_MODELS,)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--http-port", "http"], "'http' is not a port"),
        (["--http-port", "65536"], "0 to 65535"),
        (["--max-batch", "0"], "whole number from 1 up"),
        (["--max-batch", "1.5"], "whole number from 1 up"),
        (["--timeout-seconds", "0"], "number of seconds above 0"),
        (["--timeout-seconds", "nan"], "number of seconds"),
        (["--drain-delay-seconds", "-1"], "number of seconds from 0"),
        (["--model", "cats"], "'cats' is not NAME=DIR"),
        (["--precision", "int4"], "invalid choice: 'int4'"),
        (["--max-images", "300"], "--max-images 300 is more than --queue-size 256"),
        (["--modles", "x"], "unrecognized arguments: --modles"),
    ],
)
def test_a_refusal_names_the_value_and_what_would_do(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as refusal:
        parse_settings(arguments)
    assert refusal.value.code == 2
    assert message in capsys.readouterr().err


def test_help_gives_every_option_with_its_default(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parse_settings(["--help"])
    text = " ".join(capsys.readouterr().out.split())
    for name in Settings.__dataclass_fields__:
        option = {"named_models": "model", "access_log": "no_access_log"}.get(name, name)
        assert f"--{option.replace('_', '-')}" in text
    assert "(default: 95)" in text
    assert "example:" in text
