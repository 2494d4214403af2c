"""A bundle that is fetched when the pod starts: over HTTP, and from a volume."""

import pytest
from bundle_store import BundleStore
from callers import assert_labels_right, raw, wait_for_route
from space import Space, container, read_manifest, renamed, the

from scripts.programs import run
from scripts.versions import ROOT

DIGITS = ROOT / "models" / "digits"
CLAIM = "bundles"


def downloaded(space: Space, uri: str) -> list[dict[str, object]]:
    """Return manifests/resnet-50.yaml for the digits, from that address."""
    documents = renamed(read_manifest("resnet-50.yaml", space), "resnet-50", "digits")
    container(documents)["env"] = [{"name": "STORAGE_URI", "value": uri}]
    container(documents)["resources"]["requests"]["cpu"] = "250m"
    return documents


def test_over_http(space: Space, store: BundleStore) -> None:
    space.apply(*downloaded(space, store.put(DIGITS, "digits")))
    space.wait_until_ready("digits")
    wait_for_route(space, "digits")
    assert_labels_right(space, "digits", raw)
    (pod,) = space.pods("digits")
    assert [each["name"] for each in pod["spec"]["initContainers"]] == ["storage-initializer"]
    assert space.events("FailedCreate") == []


@pytest.fixture
def volume(space: Space) -> BundleStore:
    """A store with a volume."""
    claim = {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": CLAIM},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "100Mi"}}},
    }
    space.apply(claim)
    store = BundleStore(space, "filler")
    store.start(CLAIM)
    open_volume(space)
    return store


def open_volume(space: Space) -> None:
    """Let anybody write to the volume: a provisioner of plain folders leaves them to root, kind's own does not."""
    claim = space.get("v1", "PersistentVolumeClaim", CLAIM)
    assert claim
    volume = space.api.get("v1", "PersistentVolume", claim["spec"]["volumeName"])
    assert volume
    if folder := (volume["spec"].get("hostPath") or {}).get("path"):
        for node in space.cluster.nodes():
            run("docker", "exec", node, "sh", "-c", f"[ ! -d {folder} ] || chmod 777 {folder}", next_step="see its log")


def test_from_a_volume(space: Space, volume: BundleStore) -> None:
    volume.unpack(DIGITS, "shelf/digits")
    documents = downloaded(space, f"pvc://{CLAIM}/shelf/digits")
    filler = space.get("v1", "Pod", volume.name)
    assert filler
    # where kind's own provisioner sends it too; one of plain folders does not say that they are of one node
    the("InferenceService", documents)["spec"]["predictor"]["nodeSelector"] = {
        "kubernetes.io/hostname": filler["spec"]["nodeName"]
    }
    space.apply(*documents)
    space.wait_until_ready("digits")
    wait_for_route(space, "digits")
    assert_labels_right(space, "digits", raw)
    assert space.events("FailedCreate") == []


def test_an_address_that_has_nothing_never_becomes_ready(space: Space, store: BundleStore) -> None:
    service = the("InferenceService", downloaded(space, f"{store.put(DIGITS, 'digits')}.gone.tar.gz"))
    space.apply(service)
    space.wait_for_restarts("digits", "storage-initializer")
    assert not space.is_ready("digits")
