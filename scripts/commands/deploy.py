"""Install or upgrade the models of an environment with the chart, and wait until all of them have rolled out."""

import argparse
from pathlib import Path

import yaml

from scripts.api import Api, Object
from scripts.arguments import add_cluster, take_cluster
from scripts.charts import Chart, check_helm
from scripts.console import progress, say
from scripts.errors import StepError
from scripts.kind import Cluster
from scripts.platform_settings import PLATFORM
from scripts.rollout import ROLLOUT_SECONDS, SERVICE, wait_for_deployment, wait_for_rollout
from scripts.versions import ROOT

CHART = ROOT / "charts" / "vision-models"
ENVIRONMENTS = CHART / "environments"
RELEASE = "vision"
DEFAULT = "kind"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add this step's options."""
    add_cluster(parser)
    names = ", ".join(sorted(path.stem for path in ENVIRONMENTS.glob("*.yaml")))
    parser.add_argument(
        "environment",
        nargs="?",
        default=DEFAULT,
        metavar="ENVIRONMENT",
        help=f"one of {names}, or the path of a values file of your own (default: %(default)s)",
    )
    parser.add_argument(
        "--timeout",
        type=float,
        default=ROLLOUT_SECONDS,
        metavar="SECONDS",
        help="how long a model may take to roll out (default: %(default)s)",
    )
    parser.add_argument(
        "--namespace",
        metavar="NAME",
        help="where its models go; made when it is missing (default: vision, and vision-ENVIRONMENT for all but kind)",
    )


def run(options: argparse.Namespace) -> None:
    """Take this step.

    Raises:
        StepError: the values are refused, or a model did not become ready.
    """
    cluster = take_cluster(options)
    values = find_values(options.environment)
    namespace = options.namespace or default_namespace(values)
    api = Api(cluster)
    check_helm()
    _make_namespace(cluster, api, namespace)
    chart = Chart(RELEASE, str(CHART), "", namespace, (values,))
    with progress(f"{values.stem} in namespace {namespace}"):
        chart.apply(cluster)
    models = chart.find(SERVICE[1], cluster)
    if not models:
        say(f"  {values} has no models")
    for name in models:
        with progress(name):
            wait_for_rollout(api, namespace, name, options.timeout)
    for name in chart.find("Deployment", cluster):
        with progress(name):
            wait_for_deployment(api, namespace, name, options.timeout)


def find_values(environment: str) -> Path:
    """Return the values file of an environment, or the one that is named.

    Raises:
        StepError: there is neither.
    """
    for path in (ENVIRONMENTS / f"{environment}.yaml", Path(environment)):
        if path.is_file():
            return path
    names = ", ".join(sorted(path.stem for path in ENVIRONMENTS.glob("*.yaml")))
    raise StepError(
        f"{environment!r} is no environment and no file", f"there are: {names}; or give a values file's path"
    )


def default_namespace(values: Path) -> str:
    """Return where the models of a values file go: those for kind, and those of one's own, to ``vision``."""
    others = values.parent == ENVIRONMENTS and values.stem != DEFAULT
    return f"{RELEASE}-{values.stem}" if others else RELEASE


def _make_namespace(cluster: Cluster, api: Api, name: str) -> None:
    if api.get("v1", "Namespace", name):
        return
    document: Object = yaml.safe_load((PLATFORM / "namespace.yaml").read_text())
    document["metadata"]["name"] = name
    cluster.kubectl(
        *("apply", "--server-side", "--filename", "-"),
        given=yaml.safe_dump(document),
        next_step="a namespace has a-z, 0-9 and '-', 63 at most",
    )
