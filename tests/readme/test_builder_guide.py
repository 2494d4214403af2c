"""docs/builder.md: its commands have the options that they are shown with; the builder's own tests run their like."""

import re
import shlex
from pathlib import Path

import pytest

from model_builder.__main__ import _parser

GUIDE = (Path(__file__).parents[2] / "docs/builder.md").read_text()
COMMANDS = re.findall(r"^python -m model_builder (.+)$", GUIDE, re.MULTILINE)


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_is_taken_as_it_stands(command: str) -> None:
    assert callable(_parser().parse_args(shlex.split(command)).run)


def test_every_command_is_shown() -> None:
    assert {command.split()[0] for command in COMMANDS} == {"train", "export", "quantize", "evaluate", "inspect"}
