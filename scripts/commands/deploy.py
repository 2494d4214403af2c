"""Apply manifests of models and wait until they have rolled out."""

import argparse
from pathlib import Path

import yaml

from scripts.api import Api
from scripts.arguments import add_cluster, add_namespace, take_cluster
from scripts.console import progress
from scripts.errors import StepError
from scripts.rollout import wait_for_rollout
from scripts.versions import ROOT

DIGITS = ROOT / "manifests" / "digits.yaml"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add this step's options."""
    add_cluster(parser)
    add_namespace(parser)
    parser.add_argument(
        "--manifest",
        action="append",
        type=Path,
        metavar="FILE",
        help="with an InferenceService; may be repeated (default: manifests/digits.yaml)",
    )


def run(options: argparse.Namespace) -> None:
    """Take this step.

    Raises:
        StepError: a manifest is refused, or a model did not become ready.
    """
    cluster = take_cluster(options)
    api = Api(cluster)
    for path in options.manifest or [DIGITS]:
        models = _models_in(path)
        with progress(f"{path.name} in namespace {options.namespace}"):
            cluster.kubectl(
                *("--namespace", options.namespace, "apply", "--server-side", "--force-conflicts"),
                *("--filename", str(path)),
                next_step=f"is there a namespace {options.namespace}? and is the manifest right? "
                "scripts/install-platform makes the platform, and the namespace vision",
            )
            for name in models:
                wait_for_rollout(api, options.namespace, name)


def _models_in(path: Path) -> list[str]:
    if not path.is_file():
        raise StepError(f"--manifest {path}: there is no such file", "manifests/ has some")
    documents = [document for document in yaml.safe_load_all(path.read_text()) if document]
    return [each["metadata"]["name"] for each in documents if each.get("kind") == "InferenceService"]
