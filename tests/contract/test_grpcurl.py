"""The gRPC port from a command line: grpcurl, which knows of it what reflection shows."""

import base64
import json
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from doors import ANSWER_SECONDS, MODEL, framed
from grpc_doors import Client
from pictures import BLUE, RED
from servers import Server

from model_server.codec.grpc_messages import SERVICE_NAME

GRPCURL = Path(__file__).parents[2] / ".tools/bin/grpcurl"

pytestmark = pytest.mark.skipif(not GRPCURL.exists(), reason="no grpcurl: `make .tools/bin/grpcurl` builds it, with Go")


def run(server: Server, *words: str, options: Sequence[str] = ()) -> subprocess.CompletedProcess[str]:
    command = [GRPCURL, "-plaintext", *options, server.grpc_address, *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=ANSWER_SECONDS, check=False)


def ask(server: Server, method: str, document: object) -> dict[str, Any]:
    done = run(server, f"{SERVICE_NAME}/{method}", options=("-d", json.dumps(document)))
    assert done.returncode == 0, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def test_it_lists_the_services(calls: Client, colour_server: Server) -> None:
    listed = run(colour_server, "list").stdout.split()
    assert listed == ["grpc.health.v1.Health", "grpc.reflection.v1alpha.ServerReflection", SERVICE_NAME]
    assert f"{SERVICE_NAME}.ModelInfer" in run(colour_server, "list", SERVICE_NAME).stdout.split()


@pytest.mark.parametrize("name", [SERVICE_NAME, "inference.ModelInferRequest", "grpc.health.v1.Health"])
def test_it_describes(calls: Client, colour_server: Server, name: str) -> None:
    done = run(colour_server, "describe", name)
    assert done.returncode == 0, done.stderr
    assert name in done.stdout


def test_it_labels_an_image_of_a_json_document(calls: Client, colour_server: Server) -> None:
    image = {"name": "image", "datatype": "BYTES", "shape": [2], "contents": {"bytes_contents": [b64(RED), b64(BLUE)]}}
    answer = ask(colour_server, "ModelInfer", {"model_name": MODEL, "id": "x", "inputs": [image]})
    assert (answer["model_name"], answer["id"]) == (MODEL, "x")
    labels = answer["outputs"][0]
    assert (labels["name"], labels["shape"]) == ("labels", ["2", "3"])
    assert [base64.b64decode(label) for label in labels["contents"]["bytes_contents"]][::3] == [b"red", b"blue"]


def test_it_labels_raw_contents(calls: Client, colour_server: Server) -> None:
    image = {"name": "image", "datatype": "BYTES", "shape": [1]}
    document = {"model_name": MODEL, "inputs": [image], "raw_input_contents": [b64(framed(BLUE))]}
    answer = ask(colour_server, "ModelInfer", document)
    assert base64.b64decode(answer["raw_output_contents"][0]).startswith(framed(b"blue"))


def test_it_asks_what_is_served(calls: Client, colour_server: Server) -> None:
    assert ask(colour_server, "ServerLive", {}) == {"live": True}
    assert ask(colour_server, "ServerReady", {}) == {"ready": True}
    assert ask(colour_server, "ModelMetadata", {"name": MODEL})["name"] == MODEL
    health = run(colour_server, "grpc.health.v1.Health/Check", options=("-d", '{"service": ""}'))
    assert json.loads(health.stdout) == {"status": "SERVING"}


def test_it_is_told_what_is_wrong(calls: Client, colour_server: Server) -> None:
    image = {"name": "image", "datatype": "BYTES", "shape": [1], "contents": {"bytes_contents": [b64(b"no image")]}}
    document = json.dumps({"model_name": MODEL, "inputs": [image]})
    done = run(colour_server, f"{SERVICE_NAME}/ModelInfer", options=("-d", document))
    assert done.returncode != 0
    assert "InvalidArgument" in done.stderr
    assert "JPEG, PNG or WebP" in done.stderr
