"""The scripts, run again on the cluster that they made: they converge, and leave the person's kubeconfig alone."""

import os
import subprocess
from pathlib import Path

import pytest
import yaml
from callers import SAMPLES

from scripts.api import Api, wait_for
from scripts.kind import ADDRESS, Cluster
from scripts.programs import run
from scripts.rollout import find_pods, wait_for_rollout
from scripts.versions import ROOT

NAMESPACE = "vision"


def script(cluster: Cluster, name: str, *arguments: str, home: Path | None = None) -> str:
    """Run a script and return what it printed."""
    environment = {**os.environ, **({"KUBECONFIG": str(home / "config")} if home else {})}
    done = subprocess.run(
        [ROOT / "scripts" / name, "--name", cluster.name, *arguments],
        capture_output=True,
        text=True,
        check=False,
        env=environment,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module", autouse=True)
def digits(cluster: Cluster) -> None:
    """The environment kind, in the namespace that install-platform makes."""
    script(cluster, "deploy")


def test_it_labels_through_the_ingress(cluster: Cluster) -> None:
    script(cluster, "smoke")
    url = f"http://{ADDRESS}:{cluster.port()}/model/digits/predict"
    curl = ["curl", "--silent", "--fail", "--data-binary", f"@{SAMPLES[7]}", url]
    assert '"predictions":[{"label":"7"' in subprocess.run(curl, capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize("name", ["cluster-up", "deploy", "smoke"])
def test_run_again_it_changes_nothing(cluster: Cluster, api: Api, tmp_path: Path, name: str) -> None:
    theirs = tmp_path / "config"
    theirs.write_text("apiVersion: v1\nkind: Config\ncurrent-context: production\n")
    before, text = pods(api), theirs.read_text()
    script(cluster, name, home=tmp_path)
    assert pods(api) == before
    assert theirs.read_text() == text


def pods(api: Api) -> dict[str, list[str]]:
    """Return the arguments of every pod that is to stay, by its uid."""
    found = find_pods(api, NAMESPACE, "digits")
    staying = [pod for pod in found if "deletionTimestamp" not in pod["metadata"]]
    return {pod["metadata"]["uid"]: pod["spec"]["containers"][0]["args"] for pod in staying}


def values(tmp_path: Path, **digits: object) -> str:
    """Return the path of a values file: the environment kind, with something else said of the digits."""
    document = yaml.safe_load((ROOT / "charts/vision-models/environments/kind.yaml").read_text())
    document["models"]["digits"] |= digits
    path = tmp_path / "mine.yaml"
    path.write_text(yaml.safe_dump(document))
    return str(path)


def test_a_changed_model_has_rolled_out_when_deploy_returns(cluster: Cluster, api: Api, tmp_path: Path) -> None:
    before = pods(api)
    script(cluster, "deploy", values(tmp_path, variant={"precision": "float32"}))
    ((uid, arguments),) = pods(api).items()
    assert uid not in before
    assert "--precision=float32" in arguments
    script(cluster, "deploy")


def test_a_model_whose_image_is_missing_says_what_to_do_and_the_old_one_answers(
    cluster: Cluster, api: Api, tmp_path: Path
) -> None:
    image = {"repository": "kserve-vision/none", "tag": "dev"}
    command = [ROOT / "scripts" / "deploy", "--name", cluster.name, values(tmp_path, image=image)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "kserve-vision/none:dev can't be had" in done.stderr
    assert "next: scripts/build-images, then scripts/load-images" in done.stderr
    script(cluster, "smoke")
    script(cluster, "deploy")
    assert len(pods(api)) == 1


def test_the_smallest_manifest_alone_labels_through_the_ingress(cluster: Cluster, api: Api) -> None:
    """As a person applies it: no host name, nothing of the chart."""
    flags = ("--namespace", NAMESPACE)
    run("helm", "uninstall", "vision", *flags, "--kubeconfig", str(cluster.kubeconfig), next_step="", log="uninstall")
    wait_for(lambda: "the old pods are there" if find_pods(api, NAMESPACE, "digits") else None, 120, "look at them")
    cluster.kubectl(*flags, "apply", "--filename", str(ROOT / "manifests" / "digits.yaml"), next_step="")
    wait_for_rollout(api, NAMESPACE, "digits")
    script(cluster, "smoke")
    script(cluster, "deploy")  # the chart takes over what was made by hand
