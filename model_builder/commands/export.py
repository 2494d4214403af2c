"""``vision-builder export``."""

import argparse
import shlex
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from model_builder.commands.arguments import MAX_SEED, whole_number
from model_builder.progress import say

if TYPE_CHECKING:
    from model_builder.conversion import Conversion
    from model_builder.model import Model

CLASSES, MAX_CLASSES = 1000, 1_000_000
GPU_PRECISION = "float16"
FILES = (".safetensors", ".pth")
RANDOM = "random"


def add_command(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Register ``export``."""
    parser = commands.add_parser(
        "export",
        help="write a bundle of a torchvision classifier, published, your own or random",
        description="Write a bundle of a network: float16 for GPUs, float32 for ONNX Runtime and for torch. "
        "ONNX Runtime and OpenVINO must answer as torch does, or nothing is written. "
        "Needs what requirements/build.txt lists; only a TAG downloads anything.",
        epilog="""examples:
  vision-builder export resnet50 --weights IMAGENET1K_V2
  vision-builder export resnet18 --weights cats.pth --labels cats.txt --trained-on "our cats"
  vision-builder export digits-resnet --weights digits.safetensors --labels digits.txt --preprocessing-of models/digits
  vision-builder export resnet50 --weights random --seed 7 --classes 10""",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "architecture", metavar="ARCH", help="as torchvision spells it, such as resnet50; digits-resnet"
    )
    parser.add_argument(
        "--weights",
        required=True,
        metavar="TAG|FILE|random",
        help="a tag of torchvision's (IMAGENET1K_V2, DEFAULT), a file of weights (.safetensors, or .pth, of which no "
        "code is run), or random",
    )
    parser.add_argument("--output", type=Path, metavar="FOLDER", help="where the bundle goes (default: models/NAME)")
    parser.add_argument(
        "--replace", action="store_true", help="put the bundle in the place of one that is there, with its int8 variant"
    )
    parser.add_argument("--name", help="the model's name (default: ARCH, with - for _)")
    parser.add_argument(
        "--gpu-precision",
        choices=("float16", "bfloat16"),
        default=GPU_PRECISION,
        help="what GPUs compute in (default: float16); bfloat16 where a network's values are too large for it",
    )
    parser.add_argument(
        "--preprocessing-of",
        metavar="TAG|FOLDER",
        help="for a FILE or random: the weights or the bundle whose preprocessing this network was trained with "
        "(default: that of ARCH's default weights)",
    )
    files = parser.add_argument_group("a FILE")
    files.add_argument("--labels", type=Path, metavar="FILE", help="one label a line, as the logits are ordered; UTF-8")
    files.add_argument("--trained-on", metavar="DATA", help="what to say of the training data (default: not stated)")
    random = parser.add_argument_group("random weights")
    random.add_argument("--seed", type=whole_number(0, MAX_SEED), metavar="N", help="decides on them (default: 0)")
    random.add_argument(
        "--classes", type=whole_number(2, MAX_CLASSES), metavar="N", help=f"how many there are (default: {CLASSES})"
    )
    parser.set_defaults(run=partial(_run, parser))


def _run(parser: argparse.ArgumentParser, options: argparse.Namespace) -> int:
    _check_combination(parser, options)
    say("loading torch and torchvision")
    from model_builder.architecture import check_architecture
    from model_builder.conversion import convert
    from model_builder.writing import check_name, check_nothing_is_lost, check_output

    check_architecture(options.architecture)
    name = options.architecture.replace("_", "-") if options.name is None else options.name
    output = options.output or Path("models", name)
    check_name(name)
    check_output(output)
    if not options.replace:
        check_nothing_is_lost(output)
    model = _obtain(options)
    conversion = convert(
        model, output, name=name, made_by=_describe(options, model), gpu_precision=options.gpu_precision
    )
    _print_summary(conversion, output)
    return 0


def _kind(options: argparse.Namespace) -> str:
    if options.weights == RANDOM:
        return RANDOM
    return "FILE" if options.weights.endswith(FILES) else "TAG"


def _check_combination(parser: argparse.ArgumentParser, options: argparse.Namespace) -> None:
    """End with what argparse says of arguments that do not go together."""
    kind = _kind(options)
    takers = {
        "labels": ("FILE",),
        "trained_on": ("FILE",),
        "seed": (RANDOM,),
        "classes": (RANDOM,),
        "preprocessing_of": ("FILE", RANDOM),
    }
    for name, kinds in takers.items():
        if getattr(options, name) is not None and kind not in kinds:
            option = f"--{name.replace('_', '-')}"
            parser.error(f"{option} goes with --weights {' or '.join(kinds)}, not with {options.weights}")
    if kind == "FILE" and options.labels is None:
        parser.error(f"--weights {options.weights} needs --labels FILE, one label a line, in the order of the logits")


def _obtain(options: argparse.Namespace) -> "Model":
    if _kind(options) == "TAG":
        from model_builder.published import load_published

        return load_published(options.architecture, options.weights)
    from model_builder.preprocessing import find_preprocessing

    preprocessing = find_preprocessing(options.architecture, options.preprocessing_of)
    if _kind(options) == "FILE":
        from model_builder.checkpoint import load_checkpoint

        return load_checkpoint(
            options.architecture,
            Path(options.weights),
            labels=options.labels,
            preprocessing=preprocessing,
            trained_on=options.trained_on,
        )
    from model_builder.random_weights import draw_model

    return draw_model(
        options.architecture,
        seed=options.seed or 0,
        classes=options.classes or CLASSES,
        preprocessing=preprocessing,
    )


def _describe(options: argparse.Namespace, model: "Model") -> str:
    """Return the command that makes such a bundle, without the folders that this machine keeps its files in."""
    from model_builder.provenance import name_path

    kind = _kind(options)
    words = ["python", "-m", "model_builder", "export", options.architecture, "--weights"]
    words += [name_path(Path(options.weights)) if kind == "FILE" else model.weights if kind == "TAG" else RANDOM]
    if kind == "FILE":
        words += ["--labels", name_path(options.labels)]
    if kind == RANDOM:
        words += ["--seed", str(options.seed or 0), "--classes", str(len(model.labels))]
    if options.preprocessing_of is not None:
        words += ["--preprocessing-of", name_path(Path(options.preprocessing_of))]
    if options.trained_on is not None:
        words += ["--trained-on", options.trained_on]
    if options.name is not None:
        words += ["--name", options.name]
    if options.gpu_precision != GPU_PRECISION:
        words += ["--gpu-precision", options.gpu_precision]
    return shlex.join(words)


def _print_summary(conversion: "Conversion", output: Path) -> None:
    from model_builder.table import format_bytes, format_table
    from model_builder.variants import count_bytes

    bundle = conversion.bundle
    rows = [["precision", "engine", "device", "size"]]
    for variant in bundle.manifest.variants:
        size = format_bytes(count_bytes(bundle, variant))
        rows.append([variant.precision, variant.engine, variant.device, size])
    print(f"{output}: revision {bundle.version}, {len(bundle.manifest.labels)} labels\n")
    print(format_table(rows, 3))
    if conversion.differences:
        largest = conversion.differences[0].largest
        print(f"\ntorch's largest logit is {largest:.4g}; the others' differ from torch's by at most")
        print(format_table([[found.engine, f"{found.logits:.1e}"] for found in conversion.differences], 1))
