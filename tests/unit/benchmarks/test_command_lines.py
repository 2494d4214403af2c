"""Every command says what its options mean, and refuses a value with a sentence."""

import argparse
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks import decode, int8_over_torch
from benchmarks.__main__ import BENCHMARKS, build_parser, main
from benchmarks.arguments import cores, names, numbers

PARSERS = {
    **next(each.choices for each in build_parser()._actions if isinstance(each, argparse._SubParsersAction)),
    "decode": decode.build_parser(),
    "int8_over_torch": int8_over_torch.build_parser(),
}
OPTIONS = [
    pytest.param(action, id=f"{name} {action.option_strings[0]}")
    for name, parser in PARSERS.items()
    for action in parser._actions
    if action.dest != "help"
]
ABSENT = max(os.sched_getaffinity(0)) + 1


@pytest.mark.parametrize("option", OPTIONS)
def test_the_help_of_an_option_says_what_it_means_and_its_default(option: argparse.Action) -> None:
    told = re.fullmatch(r"(.{10,}) \(default: ([^;)]+)(?:; [^)]+)?\)", option.help or "")
    assert told, option.help
    if option.default is None:
        return
    read = option.type if callable(option.type) else str
    assert read(told[2]) == option.default


@pytest.mark.parametrize("name", ["decode", "int8_over_torch", "resnet_bundle", "empty_server", "peers.check"])
def test_a_module_that_is_run_by_itself_helps_and_does_nothing_else(name: str, tmp_path: Path) -> None:
    command = [sys.executable, "-m", f"benchmarks.{name}", "--help"]
    root = str(Path(__file__).parents[3])
    environment = {**os.environ, "PYTHONPATH": root}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.startswith(f"usage: python -m benchmarks.{name} [-h]")
    assert not list(tmp_path.iterdir())


def test_decode_takes_fewer_rounds(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decode, "QUALITIES", (75,))
    decode.main(["--rounds", "1"])
    assert "quality 75" in capsys.readouterr().out


def test_only_what_measures_takes_cores() -> None:
    with_cores = {name for name in BENCHMARKS if "--cores" in PARSERS[name].format_help()}
    assert with_cores == BENCHMARKS.keys() - {"plot"}


def test_cores_that_are_not_there_are_named_beside_those_that_are(capsys: pytest.CaptureFixture[str]) -> None:
    assert cores(str(ABSENT - 1)) == [ABSENT - 1]
    with pytest.raises(SystemExit) as ended:
        main(["soak", "--cores", str(ABSENT)])
    assert ended.value.code == 2
    assert f"argument --cores: there is no CPU {ABSENT} here; there are " in capsys.readouterr().err


def test_options_are_lists_of_what_is_known() -> None:
    assert numbers("1,8") == [1, 8]
    assert names(("v2", "grpc"))("grpc") == ["grpc"]
    with pytest.raises(argparse.ArgumentTypeError, match="'x' is none of v2, grpc"):
        names(("v2", "grpc"))("v2,x")
    with pytest.raises(argparse.ArgumentTypeError, match="'1,x' is not a list"):
        numbers("1,x")


@pytest.mark.parametrize("text", ["# no figures", "[1]", "", b"\xff"])
@pytest.mark.parametrize("command", ["plot", "soak"])  # the one draws them, the other would add to them after minutes
def test_what_holds_no_figures_is_named(
    command: str, text: str | bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "figures"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    assert main([command, "--latest", str(file)]) == 1
    assert capsys.readouterr().err.startswith(f"benchmarks {command}: {file} is no file of figures: ")


def test_figures_that_are_not_there_are_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for option in ("--latest", "--history"):
        assert main(["plot", option, str(tmp_path / "nope")]) == 1
        assert capsys.readouterr().err == f"benchmarks plot: {tmp_path / 'nope'} is not there\n"


def test_without_the_load_client_nothing_is_measured(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("benchmarks.load_client.PROGRAM", tmp_path / "none")
    files = ["--latest", str(tmp_path / "latest"), "--history", str(tmp_path / "history")]
    assert main(["overload", *files]) == 1
    assert int8_over_torch.main(files) == 1
    told = capsys.readouterr()
    overload, int8 = told.err.splitlines()
    assert overload.startswith("benchmarks overload: ")
    assert int8.startswith("int8_over_torch: ")
    assert all(line.endswith("`make .tools/bin/load` builds it, with Go") for line in (overload, int8))
    assert not told.out
