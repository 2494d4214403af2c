"""The clients that people have, through the Ingress: what each door says of a picture."""

import base64
import json
from collections.abc import Callable
from pathlib import Path

import httpx
import numpy as np
import tritonclient.grpc
import tritonclient.http
import tritonclient.utils
from space import Space

from scripts.api import wait_for
from scripts.kind import ADDRESS
from scripts.versions import ROOT

SAMPLES = sorted((ROOT / "models" / "digits" / "samples").glob("*.png"))
ROUTE_SECONDS = 60

Door = Callable[[Space, str, Path], str]


def client(space: Space) -> httpx.Client:
    """Return a client of the namespace's REST routes."""
    return httpx.Client(base_url=space.url, headers={"Host": space.host}, timeout=30)


def wait_for_route(space: Space, model: str) -> None:
    """Wait until the Ingress controller has heard of a model's routes, and of its pods."""

    def missing() -> str | None:
        with client(space) as http:
            answer = http.get(f"/v2/models/{model}/ready")
        return None if answer.status_code == 200 else f"{answer.status_code}: {answer.text[:200]}"

    wait_for(missing, ROUTE_SECONDS, "see what is kept under build/e2e")


def wait_for_grpc_route(space: Space, model: str) -> None:
    """Wait until it has heard of a model's Service for gRPC, which it may learn of later than of the one for REST."""

    def missing() -> str | None:
        try:
            ready = grpc_client(space, model).is_model_ready(model, client_timeout=10)
        except tritonclient.utils.InferenceServerException as error:
            return str(error)
        return None if ready else "it is not ready"

    wait_for(missing, ROUTE_SECONDS, "see what is kept under build/e2e")


def raw(space: Space, model: str, picture: Path) -> str:
    with client(space) as http:
        answer = http.post(f"/model/{model}/predict", content=picture.read_bytes()).raise_for_status()
    return str(answer.json()["predictions"][0]["label"])


def multipart(space: Space, model: str, picture: Path) -> str:
    with client(space) as http:
        files = {"image": (picture.name, picture.read_bytes(), "image/png")}
        answer = http.post(f"/model/{model}/predict", files=files).raise_for_status()
    return str(answer.json()["predictions"][0][0]["label"])


def v1(space: Space, model: str, picture: Path) -> str:
    with client(space) as http:
        document = {"instances": [{"image": {"b64": base64.b64encode(picture.read_bytes()).decode()}}]}
        answer = http.post(f"/v1/models/{model}:predict", json=document).raise_for_status()
    return str(answer.json()["predictions"][0][0]["label"])


def v2_json(space: Space, model: str, picture: Path) -> str:
    images = [base64.b64encode(picture.read_bytes()).decode()]
    document = {"inputs": [{"name": "image", "datatype": "BYTES", "shape": [1], "data": images}]}
    with client(space) as http:
        answer = http.post(f"/v2/models/{model}/infer", json=document).raise_for_status()
    outputs = {each["name"]: each["data"] for each in json.loads(answer.content)["outputs"]}
    return str(outputs["labels"][0])


def v2_binary(space: Space, model: str, picture: Path) -> str:
    triton = tritonclient.http.InferenceServerClient(space.url.removeprefix("http://"))
    answer = triton.infer(model, [_image(tritonclient.http, picture)], headers={"Host": space.host})
    return bytes(answer.as_numpy("labels")[0, 0]).decode()


def grpc_client(space: Space, model: str) -> tritonclient.grpc.InferenceServerClient:
    """Return a client of a model's route for gRPC."""
    authority = ("grpc.default_authority", space.grpc_host(model))
    return tritonclient.grpc.InferenceServerClient(f"{ADDRESS}:{space.cluster.port()}", channel_args=[authority])


def grpc(space: Space, model: str, picture: Path) -> str:
    """Ask over gRPC: its host name says which model's Service is meant."""
    answer = grpc_client(space, model).infer(model, [_image(tritonclient.grpc, picture)], client_timeout=30)
    return bytes(answer.as_numpy("labels")[0, 0]).decode()


def _image(protocol: object, picture: Path) -> object:
    given = protocol.InferInput("image", [1], "BYTES")  # type: ignore[attr-defined]
    return given.set_data_from_numpy(np.array([picture.read_bytes()], np.object_))


REST: dict[str, Door] = {
    "raw": raw,
    "multipart": multipart,
    "v1": v1,
    "v2-json": v2_json,
    "v2-binary": v2_binary,
}


def assert_labels_right(space: Space, model: str, door: Door) -> None:
    """Hold a model of digits against its samples, whose names begin with what they show."""
    assert {path.stem: door(space, model, path) for path in SAMPLES} == {path.stem: path.stem[0] for path in SAMPLES}
