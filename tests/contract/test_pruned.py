"""The image leaves distributions out (images/pruned.txt): the server answers through every door without them."""

import re
from importlib.metadata import packages_distributions
from pathlib import Path

import grpc
import httpx
import safetensors.torch
from bundles import COLOURS, entry, write_colour_bundle
from doors import DOORS, top_labels
from pictures import RED
from servers import running_server

from model_server.codec.grpc_messages import message_type
from model_server.engine.networks import build_network

LIST = Path(__file__).parents[2] / "images/pruned.txt"
NAMES = [name for line in LIST.read_text().splitlines() if (name := line.partition("#")[0].strip())]
WITHOUT = """
import sys
from importlib.machinery import PathFinder
class Pruned(PathFinder):
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        return None if name.partition(".")[0] in {packages!r} else super().find_spec(name, path, target)
sys.meta_path[sys.meta_path.index(PathFinder)] = Pruned
from model_server.__main__ import main
sys.exit(main())
"""


def packages() -> set[str]:
    """Return what the pruned distributions would let one import."""
    pruned = {re.sub(r"[-_.]+", "-", name).lower() for name in NAMES}
    return {
        package
        for package, owners in packages_distributions().items()
        if {re.sub(r"[-_.]+", "-", owner).lower() for owner in owners} <= pruned
    }


def test_the_list_is_of_what_is_installed() -> None:
    assert {"kubernetes", "pandas", "grpc_tools", "triton"} <= packages()


def test_the_server_answers_without_them(colour_bundle: Path, tmp_path: Path) -> None:
    program = ("-c", WITHOUT.format(packages=packages()))
    with running_server(tmp_path / "log", "--models", str(colour_bundle), program=program) as server:
        with httpx.Client(base_url=server.url, timeout=60, trust_env=False) as client:
            labels = {door: top_labels(ask(RED).send(client)) for door, ask in DOORS.items()}
            assert labels == {door: ["red"] for door in DOORS}
            assert client.post("/v2/repository/index").json()[0]["state"] == "READY"
        assert "vision_requests_total" in httpx.get(server.metrics_url, trust_env=False).text
        message = message_type("ModelInferRequest")(model_name="colours")
        message.inputs.add(name="image", datatype="BYTES", shape=[1]).contents.bytes_contents.append(RED)
        with grpc.insecure_channel(server.grpc_address) as channel:
            call = channel.unary_unary("/inference.GRPCInferenceService/ModelInfer")
            answer = message_type("ModelInferResponse").FromString(call(message.SerializeToString(), timeout=60))
        assert answer.outputs[0].contents.bytes_contents[0] == b"red"
        assert server.terminate() == 0
    assert "No module named" not in (tmp_path / "log").read_text()


def test_torch_infers_without_them(tmp_path: Path) -> None:
    folder = tmp_path / "colours"
    folder.mkdir()
    safetensors.torch.save_file(build_network("digits-resnet", len(COLOURS)).state_dict(), folder / "model.safetensors")
    variant = {
        "precision": "float32",
        "engine": "torch",
        "device": "cpu",
        "inputs": "pixels",
        "files": [entry(folder, "model.safetensors")],
    }
    write_colour_bundle(folder, architecture="digits-resnet", variants=[variant])
    program = ("-c", WITHOUT.format(packages=packages()))
    with running_server(tmp_path / "log", "--models", str(folder), "--device", "cpu", program=program) as server:
        answer = httpx.post(f"{server.url}/model/colours/predict", content=RED, timeout=60, trust_env=False).json()
    assert {prediction["label"] for prediction in answer["predictions"]} == set(COLOURS)
