"""``vision-builder quantize``."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from model_builder.commands.arguments import MAX_SEED, add_bundle_argument, whole_number
from model_builder.progress import say

if TYPE_CHECKING:
    from model_builder.int8_bundle import Outcome

MAX_CALIBRATION_IMAGES = 10_000


def add_command(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Register ``quantize``."""
    parser = commands.add_parser(
        "quantize",
        help="add an int8 variant, the fastest on CPUs, to a bundle",
        description="Quantize a bundle's float32 ONNX variant to int8 for OpenVINO, after training, with NNCF. "
        "Pictures like those that it will see tell the ranges of its activations; at most half of the folder is for "
        "that, and all variants are measured on the rest. Other variants, samples and labels stay as they are. "
        "Needs what requirements/build.txt lists.",
        epilog="example: vision-builder quantize models/resnet-50 --calibration photos",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    add_bundle_argument(parser)
    parser.add_argument(
        "--calibration",
        type=Path,
        required=True,
        default=argparse.SUPPRESS,
        metavar="FOLDER",
        help="JPEG, PNG or WebP pictures, all in it or a subfolder for each label (or class number); with labels, "
        "accuracy is measured too",
    )
    parser.add_argument(
        "--output",
        type=Path,
        default=argparse.SUPPRESS,
        metavar="FOLDER",
        help="where the new bundle goes, in place of the old one unless it is given",
    )
    parser.add_argument(
        "--calibration-images",
        type=whole_number(1, MAX_CALIBRATION_IMAGES),
        default=300,
        metavar="N",
        help="how many pictures calibrate at most",
    )
    parser.add_argument(
        "--seed", type=whole_number(0, MAX_SEED), default=0, metavar="N", help="decides which pictures calibrate"
    )
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    say("loading OpenVINO and NNCF")
    from model_builder.int8_bundle import Order, quantize_bundle

    output = getattr(options, "output", options.bundle)
    order = Order(options.bundle, options.calibration, output, options.calibration_images, options.seed)
    _print_outcome(quantize_bundle(order), output)
    return 0


def _print_outcome(outcome: "Outcome", output: Path) -> None:
    from model_builder.table import format_bytes, format_interval, format_share, format_table

    labelled = outcome.figures[0].accuracy is not None
    rows = [["", "variant", "size", "one image", "agreement", "logits differ by"] + ["top-1 (95% interval)"] * labelled]
    for number, figures in enumerate(outcome.figures):
        row = [
            ("before", "after")[number] if number < 2 else "besides",
            figures.name,
            format_bytes(figures.bytes),
            f"{figures.milliseconds:.2f} ms",
            format_share(figures.agreement),
            f"{figures.logit_difference:.2g}",
        ]
        rows.append(row + ([format_interval(figures.accuracy)] if figures.accuracy else []))
    before, after = outcome.figures[:2]
    print(f"{output}: revision {outcome.bundle.version}, with an int8 variant")
    print(f"{outcome.calibrated} pictures calibrated it, {outcome.measured} others measured it\n")
    print(format_table(rows, 2))
    print(
        f"\nint8 has {before.bytes / after.bytes:.1f} times fewer bytes and takes one image "
        f"{before.milliseconds / after.milliseconds:.1f} times as fast, with {outcome.threads} threads each.\n"
        "One image: the median from pixels to logits, taken in turns. Agreement: how often the top class is that of\n"
        "the variant before. Logits differ by: the mean of the absolute differences to its logits."
    )
