"""Build the server's image, and one for each bundle that is baked in."""

import argparse
import os
import shutil
from pathlib import Path

from scripts.arguments import add_tag, split_pair
from scripts.console import progress
from scripts.errors import StepError
from scripts.images import COPIED, build, name_image, revision, within_context
from scripts.kind import check_docker
from scripts.versions import ROOT, read_versions

DIGITS = f"digits={ROOT / 'models' / 'digits'}"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add this step's options."""
    add_tag(parser)
    parser.add_argument(
        "--bundle",
        action="append",
        metavar="NAME=FOLDER",
        help="bake a bundle into kserve-vision/NAME; may be repeated (default: digits=models/digits)",
    )
    parser.add_argument("--gpu", action="store_true", help="build kserve-vision/server-gpu too (torch and CUDA)")
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
    versions = read_versions()
    bundles = dict(split_pair(text, "--bundle", "digits=models/digits") for text in options.bundle or [DIGITS])
    arguments = {"INDEX_URL": options.index_url, "REVISION": revision()}
    if options.certificates:
        if not options.certificates.is_file():
            raise StepError(f"--certificates {options.certificates}: there is no such file", "give a PEM file's path")
        COPIED.mkdir(parents=True, exist_ok=True)
        copied = Path(shutil.copyfile(options.certificates, COPIED / "certificates.pem"))
        arguments["CERTIFICATES"] = str(copied.relative_to(ROOT))
    folders = {name: within_context(Path(folder)) for name, folder in bundles.items()}
    check_docker()
    stages = ["server", *(["server-gpu"] if options.gpu else [])]
    for stage in stages:
        image = name_image(stage, options.tag)
        with progress(image):
            build(stage, image, versions, arguments)
    for name, folder in folders.items():
        image = name_image(name, options.tag)
        with progress(f"{image}, with {folder}"):
            build("server-baked", image, versions, {**arguments, "BUNDLE": folder})
