"""``vision-builder``: what happens before the pod."""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from model_builder.errors import BuildError
from model_builder.progress import say
from model_server.errors import BundleError
from model_server.telemetry import disable_telemetry

if TYPE_CHECKING:
    from model_server.bundle import Bundle

MAX_EPOCHS = 1000
MAX_SEED = 2**32 - 1


def main(arguments: list[str] | None = None) -> int:
    """Run a command and return its exit status: 0, 1 for what went wrong, 2 for arguments that make no sense."""
    options = _parser().parse_args(arguments)
    disable_telemetry()
    try:
        return _train_digits(options)
    except (BuildError, BundleError) as error:
        say(f"vision-builder: {error}")
        return 1
    except KeyboardInterrupt:
        say("vision-builder: interrupted; nothing was written")
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="vision-builder",
        description="Make model bundles for vision-server.",
        epilog="example: vision-builder train digits --output models/digits",
    )
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
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
        type=lambda text: _whole_number(text, 0, MAX_SEED),
        default=0,
        metavar="N",
        help="decides on the first weights, the order of the images and their augmentation",
    )
    digits.add_argument(
        "--epochs",
        type=lambda text: _whole_number(text, 1, MAX_EPOCHS),
        default=30,
        metavar="N",
        help="how often the network sees every image",
    )
    return parser


def _whole_number(text: str, least: int, most: int) -> int:
    try:
        number = int(text)
    except ValueError:
        number = least - 1
    if not least <= number <= most:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from {least} to {most}")
    return number


def _train_digits(options: argparse.Namespace) -> int:
    say("loading torch, OpenVINO and NNCF")
    try:
        from model_builder.recipe import train_digits
    except ModuleNotFoundError as error:
        raise BuildError(
            f"the package {error.name} is not installed; training needs what requirements/build.txt lists: "
            "in the project's folder, `make digits` installs that and trains"
        ) from error
    _print_summary(train_digits(options.output, seed=options.seed, epochs=options.epochs), options.output)
    return 0


def _print_summary(bundle: "Bundle", output: Path) -> None:
    evaluation = bundle.manifest.evaluation
    print(f"{output}: revision {bundle.version}, measured on {evaluation.images if evaluation else 0} images\n")
    print(f"{'variant':10}{'accuracy':>10}{'agreement':>11}{'bytes':>10}")
    for variant in bundle.manifest.variants:
        size = sum(len(bundle.read(file)) for file in variant.files)
        print(f"{variant.precision:10}{variant.accuracy:>10.4f}{variant.agreement:>11.4f}{size:>10}")


if __name__ == "__main__":
    sys.exit(main())
