"""The scripts, run again on the cluster that they made: they converge, and leave the person's kubeconfig alone."""

import os
import subprocess
from pathlib import Path

import pytest
from callers import SAMPLES

from scripts.api import Api
from scripts.kind import ADDRESS, Cluster
from scripts.rollout import find_pods
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
    """manifests/digits.yaml as it is, in the namespace that install-platform makes."""
    script(cluster, "deploy")


def test_the_smallest_manifest_alone_labels_through_the_ingress(cluster: Cluster) -> None:
    script(cluster, "smoke")
    url = f"http://{ADDRESS}:{cluster.port()}/model/digits/predict"
    answer = subprocess.run(
        ["curl", "--silent", "--fail", "--data-binary", f"@{SAMPLES[7]}", url],
        capture_output=True,
        text=True,
        check=True,
    )
    assert '"predictions":[{"label":"7"' in answer.stdout


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


def test_a_changed_model_has_rolled_out_when_deploy_returns(cluster: Cluster, api: Api, tmp_path: Path) -> None:
    changed = tmp_path / "digits.yaml"
    text = (ROOT / "manifests" / "digits.yaml").read_text()
    changed.write_text(text.replace("args: [", "args: [--precision, float32, "))
    before = pods(api)
    script(cluster, "deploy", "--manifest", str(changed))
    ((uid, arguments),) = pods(api).items()
    assert uid not in before
    assert "float32" in arguments
    script(cluster, "deploy")


def test_a_model_whose_image_is_missing_says_what_to_do(cluster: Cluster, tmp_path: Path) -> None:
    text = (
        (ROOT / "manifests" / "digits.yaml").read_text().replace("kserve-vision/digits:dev", "kserve-vision/none:dev")
    )
    path = tmp_path / "none.yaml"
    path.write_text(text.partition("---")[0].replace("name: digits", "name: none"))
    command = [ROOT / "scripts" / "deploy", "--name", cluster.name, "--manifest", path]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    cluster.kubectl("--namespace", NAMESPACE, "delete", "inferenceservice", "none", next_step="")
    assert done.returncode == 1
    assert "kserve-vision/none:dev can't be had" in done.stderr
    assert "next: scripts/build-images, then scripts/load-images" in done.stderr
