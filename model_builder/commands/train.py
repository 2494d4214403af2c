"""``vision-builder train``."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from model_builder.commands.arguments import MAX_SEED, whole_number
from model_builder.progress import say

if TYPE_CHECKING:
    from model_server.bundle import Bundle

MAX_EPOCHS = 1000


def add_command(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Register ``train`` and its recipes."""
    train = commands.add_parser(
        "train",
        help="train a network and write a bundle of it",
        description="Train a network and write a bundle of it.",
        epilog="example: vision-builder train digits",
    )
    recipes = train.add_subparsers(metavar="RECIPE", required=True)
    digits = recipes.add_parser(
        "digits",
        help="a small ResNet for handwritten digits; two minutes on two cores, no download",
        description="Train a small ResNet on the handwritten digits that come with scikit-learn, export it to ONNX "
        "(float32) and OpenVINO (int8), measure both on the digits held out, and write the bundle. "
        "Needs what requirements/build.txt lists; downloads nothing.",
        epilog="example: vision-builder train digits --output models/digits --seed 0 --epochs 30",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    digits.add_argument(
        "--output",
        type=Path,
        default=Path("models/digits"),
        metavar="FOLDER",
        help="where the bundle goes; a bundle that is there already is replaced once the new one is complete",
    )
    digits.add_argument(
        "--seed",
        type=whole_number(0, MAX_SEED),
        default=0,
        metavar="N",
        help="decides on the first weights, the order of the images and their augmentation",
    )
    digits.add_argument(
        "--epochs",
        type=whole_number(1, MAX_EPOCHS),
        default=30,
        metavar="N",
        help="how often the network sees every image",
    )
    digits.set_defaults(run=_run_digits)


def _run_digits(options: argparse.Namespace) -> int:
    say("loading torch, OpenVINO and NNCF")
    from model_builder.recipe import train_digits

    _print_summary(train_digits(options.output, seed=options.seed, epochs=options.epochs), options.output)
    return 0


def _print_summary(bundle: "Bundle", output: Path) -> None:
    from model_builder.table import format_table
    from model_builder.variants import count_bytes

    evaluation = bundle.manifest.evaluation
    rows = [["variant", "accuracy", "agreement", "bytes"]]
    for variant in bundle.manifest.variants:
        size = str(count_bytes(bundle, variant))
        rows.append([variant.precision, f"{variant.accuracy:.4f}", f"{variant.agreement:.4f}", size])
    print(f"{output}: revision {bundle.version}, measured on {evaluation.images if evaluation else 0} images\n")
    print(format_table(rows, 1))
