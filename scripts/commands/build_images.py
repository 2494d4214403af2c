"""Build the images of the frontend and the server, and one for each bundle that is baked in."""

import argparse
import os
import re
from contextlib import ExitStack
from pathlib import Path

from scripts.arguments import split_pair
from scripts.console import progress
from scripts.errors import StepError
from scripts.images import TAG, build, check_bundle, name_image, revision, within_context
from scripts.kind import check_docker
from scripts.versions import ROOT, Versions, read_versions

DIGITS = f"digits={ROOT / 'models' / 'digits'}"
OWN = ("frontend", "server")
GPU = "server-gpu"
CERTIFICATES = "certificates.pem"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add this step's options."""
    add_network(parser)
    parser.add_argument("--tag", default=TAG, help="of the images (default: %(default)s)")
    parser.add_argument(
        "--bundle",
        action="append",
        metavar="NAME=FOLDER",
        help="bake a bundle into kserve-vision/NAME; may be repeated (default: digits=models/digits)",
    )
    parser.add_argument("--gpu", action="store_true", help="build kserve-vision/server-gpu too (torch and CUDA)")


def add_network(parser: argparse.ArgumentParser) -> None:
    """Add the options for closed networks."""
    parser.add_argument(
        "--index-url",
        default=os.environ.get("PIP_INDEX_URL", ""),
        metavar="URL",
        help="a package index of your own (default: $PIP_INDEX_URL)",
    )
    parser.add_argument("--certificates", type=Path, metavar="FILE", help="PEM, for an index of a private authority")


def run(options: argparse.Namespace) -> None:
    """Take this step.

    Raises:
        StepError: an option names what is not there, or Docker could not build.
    """
    if options.certificates and not options.certificates.is_file():
        raise StepError(f"--certificates {options.certificates}: there is no such file", "give a PEM file's path")
    bundles = dict(_read_bundle(text) for text in options.bundle or [DIGITS])
    check_docker()
    arguments = {"INDEX_URL": options.index_url, "REVISION": revision()}
    with ExitStack() as stack:
        if options.certificates:
            arguments["CERTIFICATES"] = stack.enter_context(within_context(options.certificates, CERTIFICATES))
        _build_all(options, bundles, arguments, read_versions())


def _build_all(
    options: argparse.Namespace, bundles: dict[str, Path], arguments: dict[str, str], versions: Versions
) -> None:
    for stage in (*OWN, GPU) if options.gpu else OWN:
        image = name_image(stage, options.tag)
        with progress(image):
            build(stage, image, versions, arguments)
    for name, folder in bundles.items():
        image = name_image(name, options.tag)
        with within_context(folder, name) as inside, progress(f"{image}, with {os.path.relpath(folder)}"):
            build("server-baked", image, versions, {**arguments, "BUNDLE": inside})


def _read_bundle(text: str) -> tuple[str, Path]:
    name, folder = split_pair(text, "--bundle", "digits=models/digits")
    if not re.fullmatch(r"[a-z0-9]+([._-][a-z0-9]+)*", name) or name in (*OWN, GPU):
        raise StepError(
            f"--bundle {text}: {name!r} can't be the image's name",
            f"use a-z, 0-9 and single '-', '.', '_' between them, and not {' or '.join((*OWN, GPU))}",
        )
    check_bundle(Path(folder))
    return name, Path(folder)
