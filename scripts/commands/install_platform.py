"""Install what models need: cert-manager, KServe in Standard mode, metrics-server, Traefik; more with --with."""

import argparse
from contextlib import nullcontext
from pathlib import Path

from scripts.api import Api, wait_for
from scripts.arguments import add_cluster, split_pair, take_cluster
from scripts.charts import Chart, check_helm
from scripts.components import COMPONENTS, VALUES, Component
from scripts.console import progress, say
from scripts.errors import StepError
from scripts.images import present
from scripts.kind import Cluster
from scripts.platform_settings import apply_settings
from scripts.versions import Versions, read_versions

CHECK_SECONDS = 60
GATEWAY_VALUES = VALUES / "traefik-gateway-api.yaml"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add this step's options."""
    names = ", ".join(component.name for component in COMPONENTS)
    optional = ",".join(component.name for component in COMPONENTS if component.optional)
    add_cluster(parser)
    parser.add_argument("--with", dest="more", default="", metavar="NAMES", help=f"optional parts: {optional}")
    parser.add_argument(
        "--without",
        dest="less",
        default="",
        metavar="NAMES",
        help=f"parts that are installed by other means: they are checked, not installed (of {names})",
    )
    parser.add_argument(
        "--values", action="append", default=[], metavar="NAME=FILE", help="values for a part's chart; may be repeated"
    )


def run(options: argparse.Namespace) -> None:
    """Take this step.

    Raises:
        StepError: an option names no part, or a part did not become ready.
    """
    cluster, versions = take_cluster(options), read_versions()
    more, less = _split(options.more), _split(options.less)
    values: dict[str, list[Path]] = {}
    for text in options.values:
        name, path = split_pair(text, "--values", "traefik=my-values.yaml")
        if not Path(path).is_file():
            raise StepError(f"--values {text}: there is no such file", "give the path of a YAML file")
        values.setdefault(_known(name), []).append(Path(path))
    chosen = [each for each in COMPONENTS if not each.optional or each.name in more | less]
    installed = {each.name for each in chosen if each.charts} - less
    if unused := sorted(values.keys() - installed):
        told = f"there are: {', '.join(sorted(installed))}"
        raise StepError(f"--values {unused[0]}=…: its chart is not installed", told)
    if "gateway-api" in more | less:
        values.setdefault("traefik", []).insert(0, GATEWAY_VALUES)
    api = Api(cluster)
    check_helm()
    for component in chosen:
        if component.name not in less:
            _install(component, cluster, versions, values.get(component.name, []))
        _check(component, api, checking=component.name in less)
    apply_settings(cluster, api)
    say("  the platform is there")


def _split(text: str) -> set[str]:
    return {_known(name) for name in text.split(",") if name}


def _known(name: str) -> str:
    names = [component.name for component in COMPONENTS]
    if name not in names:
        raise StepError(f"{name!r} is no part of the platform", f"there are: {', '.join(names)}")
    return name


def _install(component: Component, cluster: Cluster, versions: Versions, values: list[Path]) -> None:
    if component.manifest:
        with progress(f"{component.name}: {versions[component.manifest].rpartition('/')[2]}"):
            cluster.kubectl(
                *("apply", "--server-side", "--force-conflicts", "--filename", versions[component.manifest]),
                next_step=f"can it be reached? {component.manifest} in the environment names a file",
            )
    for chart in component.fill(versions, values):
        told = "from a folder" if chart.local else chart.version
        with progress(f"{component.name}: the chart {chart.release}, {told}"):
            _preload(chart, cluster)
            chart.install(cluster)


def _preload(chart: Chart, cluster: Cluster) -> None:
    """Copy what Docker has of its images into the nodes; what can't be copied, the nodes pull."""
    there = present(chart.images())
    try:
        if there:
            cluster.load(there)
    except StepError:
        say(f"\n  (not copied from Docker, so the nodes pull them: {', '.join(there)})")


def _check(component: Component, api: Api, *, checking: bool) -> None:
    with progress(f"{component.name}, installed by other means") if checking else nullcontext():
        wait_for(
            lambda: component.missing(api),
            CHECK_SECONDS,
            f"install {component.name} first, or leave it to this script: not in --without",
        )
