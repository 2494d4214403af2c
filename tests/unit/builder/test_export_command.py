from pathlib import Path

import pytest

from model_builder.__main__ import main


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["random", "--labels", "x"], "--labels goes with --weights FILE, not with random"),
        (["DEFAULT", "--labels", "x"], "--labels goes with --weights FILE, not with DEFAULT"),
        (["random", "--trained-on", "x"], "--trained-on goes with --weights FILE, not with random"),
        (["a.pth", "--labels", "x", "--seed", "1"], "--seed goes with --weights random, not with a.pth"),
        (["DEFAULT", "--classes", "3"], "--classes goes with --weights random, not with DEFAULT"),
        (["DEFAULT", "--preprocessing-of", "x"], "--preprocessing-of goes with --weights FILE or random, not with"),
        (["a.safetensors"], "--weights a.safetensors needs --labels FILE, one label a line"),
        (["random", "--classes", "1"], "argument --classes: '1' is not a whole number from 2 to 1000000"),
        (["random", "--gpu-precision", "int8"], "argument --gpu-precision: invalid choice: 'int8'"),
    ],
)
def test_options_that_do_not_go_together_are_refused_at_once(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as exit_:
        main(["export", "resnet18", "--weights", *arguments])
    assert exit_.value.code == 2
    assert message in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["resnet51", "--weights", "random"], "no architecture is called 'resnet51'; did you mean resnet50"),
        (["resnet18", "--weights", "V9"], "--weights V9: torchvision has no such weights of resnet18"),
        (["resnet18", "--weights", "random", "--name", "My Model"], "--name 'My Model': a model's name is up to 48"),
        (["resnet18", "--weights", "random", "--name", "a\n"], "--name 'a\\n': a model's name is up to 48"),
        (["vit_b_16", "--weights", "random", "--preprocessing-of", "V9"], "--preprocessing-of V9: neither"),
        (["resnet18", "--weights", "no.pth", "--labels", "no.txt"], "--labels no.txt: No such file or directory"),
    ],
)
def test_what_can_not_be_done_is_one_line(
    arguments: list[str],
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["export", *arguments]) == 1
    captured = capsys.readouterr()
    (line,) = captured.err.splitlines()[1:]  # after "loading"
    assert line.startswith(f"vision-builder: {message}")
    assert captured.out == ""
    assert not any(tmp_path.iterdir())


def test_random_weights_go_to_models_under_the_architectures_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["export", "digits-resnet", "--weights", "random", "--seed", "4", "--classes", "3"]) == 0
    text = (tmp_path / "models/digits-resnet/model.yaml").read_text()
    assert "made_by: python -m model_builder export digits-resnet --weights random --seed 4 --classes 3" in text
    assert "trained_on: null" in text
    assert capsys.readouterr().out.startswith("models/digits-resnet: revision ")


def test_a_bundle_that_is_there_stays_unless_it_is_to_be_replaced(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    command = ["export", "digits-resnet", "--weights", "random", "--classes", "3", "--output", "mine"]
    assert main(command) == 0
    before = Path("mine/model.yaml").read_bytes()
    assert main([*command, "--seed", "1"]) == 1
    assert "--output mine: a bundle is there already (digits-resnet, random-seed-0; " in capsys.readouterr().err
    assert Path("mine/model.yaml").read_bytes() == before
    assert main([*command, "--seed", "1", "--replace"]) == 0
    assert b"random-seed-1" in Path("mine/model.yaml").read_bytes()
