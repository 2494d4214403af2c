import os
import re
import subprocess
import sys
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from model_builder.__main__ import main

WITHOUT_LIBRARIES = """
import sys
from model_builder.__main__ import main
try:
    main(sys.argv[1:])
except SystemExit:
    heavy = {"torch", "numpy", "sklearn", "openvino", "nncf", "pydantic", "matplotlib"} & set(sys.modules)
    sys.exit(f"loaded: {heavy}" if heavy else 0)
"""


@pytest.mark.parametrize(
    ("arguments", "example"),
    [
        ([], "train digits"),
        (["train"], "train digits"),
        (["train", "digits"], "train digits"),
        (["export"], "export resnet50 --weights IMAGENET1K_V2"),
        (["quantize"], "quantize models/resnet-50 --calibration photos"),
        (["evaluate"], "evaluate models/digits --data photos --plot plot.png"),
        (["inspect"], "inspect models/digits"),
    ],
)
def test_help_comes_at_once_and_ends_with_an_example(arguments: list[str], example: str) -> None:
    run = subprocess.run(
        [sys.executable, "-c", WITHOUT_LIBRARIES, *arguments, "--help"], capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr
    assert re.search(rf"examples?:\s+vision-builder {re.escape(example)}", run.stdout)


def test_progress_goes_to_stderr_and_the_result_to_stdout(
    quick_run: "CompletedProcess[str]", quick_folder: Path
) -> None:
    assert quick_run.returncode == 0
    steps = ("loading", "training", "epoch  1 of 1", "exporting", "quantizing", "calibrating", "measuring")
    for line, step in zip(quick_run.stderr.splitlines(), steps, strict=True):
        assert line.startswith(step)
    summary = quick_run.stdout.splitlines()
    assert summary[0].startswith(f"{quick_folder}: revision ")
    assert summary[2].split() == ["variant", "accuracy", "agreement", "bytes"]
    assert [line.split()[0] for line in summary[3:]] == ["int8", "float32"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--epochs", "0"], "argument --epochs: '0' is not a whole number from 1 to 1000"),
        (["--epochs", "many"], "argument --epochs: 'many' is not a whole number from 1 to 1000"),
        (["--seed", "-1"], "argument --seed: '-1' is not a whole number from 0 to 4294967295"),
        (["--seed", "1.5"], "argument --seed: '1.5' is not a whole number from 0 to 4294967295"),
    ],
)
def test_a_bad_number_is_named_with_what_would_do(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as exit_:
        main(["train", "digits", *arguments])
    assert exit_.value.code == 2
    assert message in capsys.readouterr().err


def test_a_folder_of_something_else_is_refused_before_training(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "thesis.tex").write_text("")
    assert main(["train", "digits", "--output", str(tmp_path)]) == 1
    stderr = capsys.readouterr().err
    assert f"vision-builder: --output {tmp_path}: the folder holds something other than a bundle" in stderr
    assert "epoch" not in stderr


def test_without_torch_the_requirements_file_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for module in [
        name
        for name in sys.modules
        if name.startswith("model_builder.") and name not in ("model_builder.__main__", "model_builder.errors")
    ]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setitem(sys.modules, "torch", None)
    assert main(["train", "digits", "--output", str(tmp_path / "digits")]) == 1
    assert (
        "the package torch is not installed; this command needs what requirements/build.txt lists"
        in capsys.readouterr().err
    )


def test_an_interrupt_is_no_traceback(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("model_builder.recipe.train_digits", interrupted)
    assert main(["train", "digits", "--output", str(tmp_path / "digits")]) == 130
    assert capsys.readouterr().err.endswith("vision-builder: interrupted; a bundle is there whole or as it was\n")
    assert not any(tmp_path.iterdir())


def test_a_name_that_is_not_utf8_is_refused_before_anything_is_done(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["quantize", "models/digits", "--calibration", os.fsdecode(b"caf\xe9")]) == 1
    assert capsys.readouterr().err == "vision-builder: b'caf\\xe9' is not UTF-8; rename the file or folder\n"
