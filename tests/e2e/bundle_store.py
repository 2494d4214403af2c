"""A place in the cluster that bundles are fetched from: a web server, or a volume that it fills."""

import io
import os
import subprocess
import tarfile
from dataclasses import dataclass
from pathlib import Path

from space import Space

from scripts.api import Object, wait_for
from scripts.components import has_condition
from scripts.programs import search_path

IMAGE = "kserve-vision/server:dev"
PORT = 8000
START_SECONDS = 120
CONFINED = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "readOnlyRootFilesystem": True,
}


@dataclass(frozen=True)
class BundleStore:
    """A pod with Python's own web server over an empty folder, and optionally a volume at /volume."""

    space: Space
    name: str = "bundles"

    def start(self, claim: str | None = None) -> None:
        """Start it, and wait until files can be put on it."""
        volumes: list[Object] = [{"name": "files", "emptyDir": {}}]
        mounts: list[Object] = [{"name": "files", "mountPath": "/files"}]
        if claim:
            volumes.append({"name": "volume", "persistentVolumeClaim": {"claimName": claim}})
            mounts.append({"name": "volume", "mountPath": "/volume"})
        server = {
            "name": "server",
            "image": IMAGE,
            "command": ["python", "-m", "http.server", str(PORT), "--directory", "/files"],
            "readinessProbe": {"tcpSocket": {"port": PORT}, "periodSeconds": 1},
            "securityContext": CONFINED,
            "volumeMounts": mounts,
        }
        pod = {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": self.name, "labels": {"app": self.name}},
            "spec": {
                "automountServiceAccountToken": False,
                "securityContext": {
                    "runAsNonRoot": True,
                    "fsGroup": 65532,
                    "seccompProfile": {"type": "RuntimeDefault"},
                },
                "terminationGracePeriodSeconds": 0,
                "containers": [server],
                "volumes": volumes,
            },
        }
        ports = [{"port": 80, "targetPort": PORT}]
        service = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": self.name}}
        self.space.apply(pod, {**service, "spec": {"selector": {"app": self.name}, "ports": ports}})
        wait_for(self._not_ready, START_SECONDS, "see what is kept under build/e2e")

    def _not_ready(self) -> str | None:
        pod = self.space.get("v1", "Pod", self.name) or {}
        return None if has_condition(pod, "Ready") else "the store of bundles is not ready"

    def put(self, bundle: Path, name: str) -> str:
        """Put a bundle on it as an archive and return the address that pods fetch it from."""
        self._stream(["sh", "-c", f"cat > /files/{name}.tar.gz"], archive(bundle, "w:gz"))
        return f"http://{self.name}.{self.space.name}.svc.cluster.local/{name}.tar.gz"

    def unpack(self, bundle: Path, folder: str) -> None:
        """Unpack a bundle into a folder of its volume."""
        self._stream(["mkdir", "-p", f"/volume/{folder}"], b"")
        self._stream(["tar", "-xf", "-", "--no-same-owner", "-C", f"/volume/{folder}"], archive(bundle, "w"))

    def _stream(self, command: list[str], given: bytes) -> None:
        cluster = self.space.cluster
        flags = ["--kubeconfig", str(cluster.kubeconfig), "--context", cluster.context, "--namespace", self.space.name]
        subprocess.run(
            ["kubectl", *flags, "exec", "--stdin", self.name, "--", *command],
            input=given,
            env={**os.environ, "PATH": search_path()},
            check=True,
            timeout=120,
        )


def archive(bundle: Path, mode: str) -> bytes:
    """Return a bundle's files, at the top of a tar archive."""
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode=mode) as tar:  # type: ignore[call-overload]
        for path in sorted(bundle.iterdir()):
            tar.add(path, path.name)
    return file.getvalue()
