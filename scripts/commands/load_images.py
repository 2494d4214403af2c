"""Copy the project's images from Docker into the cluster's nodes; what runs one that has changed rolls out anew."""

import argparse

from scripts.api import Api, Object
from scripts.arguments import add_cluster, take_cluster
from scripts.console import progress, say
from scripts.errors import StepError
from scripts.images import TAG, present, project_images
from scripts.kind import Cluster, check_docker
from scripts.rollout import CONTAINER, SERVICE, find_pods, select_pods_of

ANNOTATION = "kserve-vision/image-id"
FRONTEND = "app.kubernetes.io/name=frontend,app.kubernetes.io/part-of=vision-models,app.kubernetes.io/component=caller"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add this step's options."""
    add_cluster(parser)
    parser.add_argument(
        "--image",
        action="append",
        metavar="NAME:TAG",
        help=f"an image of Docker's; may be repeated (default: kserve-vision/*:{TAG}, those for GPUs left out)",
    )


def run(options: argparse.Namespace) -> None:
    """Take this step.

    Raises:
        StepError: Docker has not got them, or there is no such cluster.
    """
    cluster = take_cluster(options)
    check_docker()
    if not cluster.exists():
        raise StepError(f"there is no cluster {cluster.name}", f"scripts/cluster-up --name {cluster.name}")
    images = options.image or project_images(TAG)
    if missing := sorted(set(images) - set(present(images))):
        raise StepError(f"Docker has no {', '.join(missing)}", "scripts/build-images, or docker pull")
    if not images:
        raise StepError("Docker has none of the project's images", "scripts/build-images")
    with progress(f"{len(images)} image(s): {', '.join(images)}"):
        cluster.load(images)
    _roll_out(cluster, images)


def _roll_out(cluster: Cluster, images: list[str]) -> None:
    """Let models and frontends whose pods run another image of the same name and tag start anew: no tag tells them."""
    api = Api(cluster)
    for service in api.list(*SERVICE):
        name, namespace = service["metadata"]["name"], service["metadata"]["namespace"]
        image = next((each.get("image") for each in service["spec"]["predictor"].get("containers") or []), None)
        if image not in images:
            continue
        digest = cluster.digest(image)
        if _all_run(digest, CONTAINER, find_pods(api, namespace, name)):
            continue
        found = digest.removeprefix("sha256:")[:12]
        cluster.kubectl(
            *("--namespace", namespace, "annotate", "--overwrite", "inferenceservice", name, f"{ANNOTATION}={found}"),
            next_step=f"{cluster.kubectl_command} --namespace {namespace} describe inferenceservice {name}",
        )
        say(f"  {namespace}/{name}: its image is another now, so its pods are replaced")
    for deployment in api.list("apps/v1", "Deployment", selector=FRONTEND):
        name, namespace = deployment["metadata"]["name"], deployment["metadata"]["namespace"]
        (container,) = deployment["spec"]["template"]["spec"]["containers"]
        image, pods = container["image"], api.list("v1", "Pod", namespace, select_pods_of(deployment))
        if image in images and not _all_run(cluster.digest(image), container["name"], pods):
            cluster.kubectl(
                *("--namespace", namespace, "rollout", "restart", f"deployment/{name}"),
                next_step=f"{cluster.kubectl_command} --namespace {namespace} describe deployment {name}",
            )
            say(f"  {namespace}/{name}: its image is another now, so its pods are replaced")


def _all_run(digest: str, container: str, pods: list[Object]) -> bool:
    """Tell whether no pod runs another image than that one, in the container of that name."""
    statuses = [each for pod in pods for each in (pod.get("status") or {}).get("containerStatuses") or []]
    running = {each["imageID"].rpartition("@")[2] for each in statuses if each["name"] == container}
    return running <= {"", digest}
