"""``vision-builder evaluate``."""

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING

from model_builder.commands.arguments import add_bundle_argument
from model_builder.errors import BuildError
from model_builder.progress import say

if TYPE_CHECKING:
    from model_builder.assessment import Assessment

PRECISIONS = ("int8", "float32", "float16", "bfloat16")
ENGINES = ("openvino", "onnxruntime", "torch")
DEVICES = ("cpu", "cuda")
WORST_PAIRS, LOWEST_RECALLS, LABEL_LETTERS = 5, 20, 40


def add_command(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Register ``evaluate``."""
    parser = commands.add_parser(
        "evaluate",
        help="measure a bundle's variants on labelled pictures",
        description="Measure how often each variant of a bundle is right, and what it mistakes for what, with the code "
        "that serves it. The bundle stays as it is. Needs what requirements/build.txt lists.",
        epilog="example: vision-builder evaluate models/digits --data photos --plot plot.png",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    add_bundle_argument(parser)
    parser.add_argument(
        "--data",
        type=Path,
        required=True,
        default=argparse.SUPPRESS,
        metavar="FOLDER",
        help="JPEG, PNG or WebP pictures in a subfolder for each label (or class number)",
    )
    for option, choices in (("--precision", PRECISIONS), ("--engine", ENGINES), ("--device", DEVICES)):
        parser.add_argument(
            option, choices=("all", *choices), default="all", help="which variants, of those that run here"
        )
    parser.add_argument(
        "--json",
        type=Path,
        default=argparse.SUPPRESS,
        metavar="FILE",
        help="where everything goes, the whole confusion matrices with it; - for stdout, instead of the table",
    )
    parser.add_argument(
        "--plot", type=_png, default=argparse.SUPPRESS, metavar="FILE.png", help="where a picture of it goes"
    )
    parser.set_defaults(run=_run)


def _png(text: str) -> Path:
    if not text.lower().endswith(".png"):
        raise argparse.ArgumentTypeError(f"{text!r} does not end with .png, which is what is written")
    return Path(text)


def _run(options: argparse.Namespace) -> int:
    plot, document = getattr(options, "plot", None), getattr(options, "json", None)
    to_stdout = document == Path("-")
    for option, file in (("--plot", plot), ("--json", None if to_stdout else document)):
        if file and not file.parent.is_dir():
            raise BuildError(f"{option} {file}: there is no folder {file.parent}; make it first")
    from model_builder.assessment import assess_bundle, choose_variants, describe_assessment
    from model_server.bundle import read_bundle

    bundle = read_bundle(options.bundle)
    variants = choose_variants(bundle.manifest, options.precision, options.engine, options.device)
    assessment = assess_bundle(bundle, options.data, variants)
    text = json.dumps(describe_assessment(assessment), ensure_ascii=False, allow_nan=False)
    if to_stdout:
        print(text, flush=True)
    else:
        _print_assessment(assessment)  # before the files, so that what was measured is not lost if a disk is full
    if document and not to_stdout:
        _write("--json", document, f"{text}\n".encode())
    if plot:
        from model_builder.drawing import draw_assessment

        _write("--plot", plot, draw_assessment(assessment))
    return 0


def _write(option: str, file: Path, data: bytes) -> None:
    try:
        file.write_bytes(data)
    except OSError as error:
        raise BuildError(f"{option} {file}: {error.strerror or error}") from error
    say(f"{option[2:]} written to {file}")


def _print_assessment(assessment: "Assessment") -> None:
    from model_builder.scores import recall, worst_pairs
    from model_builder.table import format_interval, format_share, format_table

    manifest = assessment.bundle.manifest
    print(
        f"{manifest.name}, revision {assessment.bundle.version}, on {assessment.images} pictures of {assessment.data}\n"
    )
    rows = [["variant", "top-1 (95% interval)", "top-5 (95% interval)"]]
    for name, scores in assessment.scores.items():
        rows.append([name, format_interval(scores.top_1), format_interval(scores.top_5) if scores.top_5 else "-"])
    print(format_table(rows, 1))

    recalls = [recall(scores.confusion) for scores in assessment.scores.values()]
    lowest = sorted(recalls[0], key=lambda number: (recalls[0][number].value, number))[:LOWEST_RECALLS]
    which = f"the {len(lowest)} lowest of {len(recalls[0])}" if len(lowest) < len(recalls[0]) else "lowest first"
    print(f"\nrecall by label, {which}:\n")
    rows = [["label", "pictures", *assessment.scores]]
    for number in lowest:
        shares = [format_share(of_variant[number].value) for of_variant in recalls]
        rows.append([_shorten(manifest.labels[number]), str(recalls[0][number].images), *shares])
    print(format_table(rows, 1))

    print("\nmistaken most often:\n")
    rows = [["variant", "truth", "said", "pictures"]]
    for name, scores in assessment.scores.items():
        for truth, said, count in worst_pairs(scores.confusion, WORST_PAIRS):
            labels = (_shorten(manifest.labels[truth]), _shorten(manifest.labels[said]))
            rows.append([name, *labels, f"{count} of {scores.confusion[truth].sum()}"])
    print(format_table(rows, 3) if len(rows) > 1 else "nothing at all")


def _shorten(label: str) -> str:
    return label if len(label) <= LABEL_LETTERS else f"{label[: LABEL_LETTERS - 1]}…"
