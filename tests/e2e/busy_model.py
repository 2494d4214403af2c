"""A model of digits under traffic, from the chart, and two bundles for it whose labels differ on every picture."""

import hashlib
import json
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import yaml
from bundle_store import BundleStore
from callers import SAMPLES, wait_for_grpc_route, wait_for_route
from space import READY_SECONDS, Space
from traffic import ANSWER_SECONDS, Plan, Summary

from scripts.api import Object, wait_for
from scripts.kind import ADDRESS
from scripts.versions import ROOT

DIGITS = ROOT / "models" / "digits"
KEPT = ROOT / "build" / "e2e" / "traffic"
DRIVER = Path(__file__).with_name("traffic.py")
MODEL = "digits"
START_SECONDS = 15
"""Of the driver, on a busy machine."""
VALUES: Object = {
    "image": {"tag": "dev"},
    "replicas": 2,
    "resources": {"requests": {"cpu": "50m", "memory": "256Mi"}, "limits": {"cpu": "1", "memory": "512Mi"}},
    "server": {"accessLog": False},
    "probes": {"periodSeconds": 2},
}


def turn_labels(folder: Path, by: int) -> Path:
    """Write the digits' bundle with labels that are others: class n is called (n + by) modulo 10."""
    shutil.copytree(DIGITS, folder)
    manifest = yaml.safe_load((folder / "model.yaml").read_text())
    manifest["labels"] = [str((number + by) % 10) for number in range(10)]
    (folder / "model.yaml").write_text(yaml.safe_dump(manifest, sort_keys=False))
    return folder


def expect(bundle: Path) -> dict[str, dict[str, str]]:
    """Return what a bundle's revision says of each sample, by the sample's path."""
    document = (bundle / "model.yaml").read_bytes()
    labels = yaml.safe_load(document)["labels"]
    return {hashlib.sha256(document).hexdigest()[:12]: {str(path): labels[int(path.stem[0])] for path in SAMPLES}}


@dataclass
class BusyModel:
    """The model in its namespace."""

    space: Space
    bundles: dict[str, str]
    """Where each bundle is fetched from."""
    expected: dict[str, dict[str, str]]

    def deploy(self, bundle: str, **values: Any) -> None:
        """Deploy the model with a bundle and other values of the chart's, and don't wait."""
        model = {**VALUES, "bundle": {"storageUri": self.bundles[bundle]}, **values}
        routes = {"host": self.space.host, "grpc": {"host": f"MODEL.grpc.{self.space.host}"}}
        document = {"models": {MODEL: model}, "routes": routes, "frontend": {"enabled": False}}
        self.space.apply_chart(document)

    def wait(self, pods: int | None = None) -> None:
        """Wait until that is what runs, and, where it is said, that so many pods are all there are."""
        self.space.wait_until_ready(MODEL)
        if pods is not None:
            wait_for(lambda: self._not(pods), READY_SECONDS, "see what is kept under build/e2e")

    def _not(self, pods: int) -> str | None:
        found = self.space.pods(MODEL)
        ready = [pod for pod in found if "deletionTimestamp" not in pod["metadata"]]
        return None if len(found) == len(ready) == pods else f"{len(found)} pods, {len(ready)} of them to stay"

    @contextmanager
    def traffic(self, name: str, rate: float = 60.0) -> Iterator["RunningTraffic"]:
        """Send requests meanwhile; then ``summary`` has what came of it, which is kept under build/e2e/traffic."""
        KEPT.mkdir(parents=True, exist_ok=True)
        host = self.space.grpc_host(MODEL)
        address = f"{ADDRESS}:{self.space.cluster.port()}"
        plan = Plan(address, self.space.host, host, MODEL, self.expected, rate)
        path = KEPT / f"{name}.plan.json"
        path.write_text(json.dumps(asdict(plan)))
        process = subprocess.Popen(
            [sys.executable, str(DRIVER), str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        running = RunningTraffic(process, rate)
        try:
            yield running
            said, _ = process.communicate(timeout=ANSWER_SECONDS + 30)
        finally:
            if process.poll() is None:
                process.kill()
                process.communicate()
        running.summary = Summary(**json.loads(said))
        (KEPT / f"{name}.txt").write_text(f"{running.summary}\n")
        print(f"\n{name}: {running.summary}")  # noqa: T201 - for those who run it with -s


class RunningTraffic:
    """The driver while it runs, and what came of it afterwards."""

    summary: Summary

    def __init__(self, process: subprocess.Popen[str], rate: float) -> None:
        self._process = process
        self._rate = rate
        self._begin = time.monotonic()

    def mark(self, what: str) -> None:
        """Say what is done to the cluster now."""
        assert self._process.stdin
        self._process.stdin.write(f"{what}\n")
        self._process.stdin.flush()

    def go_on(self, seconds: float) -> None:
        """Let it send on: what was done may show only now."""
        time.sleep(seconds)

    def go_on_until(self, requests: int) -> None:
        """Let it send on until so many requests must have been sent since the begin."""
        time.sleep(max(0.0, requests / self._rate + START_SECONDS - (time.monotonic() - self._begin)))


def start_busy_model(space: Space, store: BundleStore, folder: Path) -> BusyModel:
    """Deploy the model with two pods of its first bundle, and wait until it is routed."""
    folders = {"plain": DIGITS, "turned": turn_labels(folder / "turned", by=1)}
    bundles = {name: store.put(bundle, name) for name, bundle in folders.items()}
    expected = {version: labels for bundle in folders.values() for version, labels in expect(bundle).items()}
    assert len(expected) == len(folders)
    model = BusyModel(space, bundles, expected)
    model.deploy("plain")
    model.wait(pods=2)
    wait_for_route(space, MODEL)
    wait_for_grpc_route(space, MODEL)
    return model
