"""What Prometheus reads after requests through every door."""

import contextlib
import re
import socket
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import grpc
import httpx
import pytest
from doors import ANSWER_SECONDS, DOORS, MANY, PREDICT, Call, ask_raw, ask_v2_json, v2
from pictures import BLUE, GREEN, NOT_AN_IMAGE, RED
from prometheus_client.parser import text_string_to_metric_families
from servers import Server, running_server

from model_server.bundle import read_bundle
from model_server.codec.grpc_messages import message_type

METRIC_DOORS = {"v2-json": "v2", "v2-binary": "v2", "v1": "v1", "multipart": "predict", "raw": "predict"}
Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


@pytest.fixture
def server(colour_bundle: Path, tmp_path: Path) -> Iterator[Server]:
    with running_server(tmp_path / "log", "--models", str(colour_bundle), "--max-images", "4") as server:
        yield server


@pytest.fixture
def client(server: Server) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server.url, timeout=ANSWER_SECONDS, trust_env=False) as client:
        yield client


def scrape(server: Server) -> Samples:
    text = httpx.get(server.metrics_url, trust_env=False).text
    families = text_string_to_metric_families(text)
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in families
        for sample in family.samples
    }


def value(samples: Samples, name: str, **labels: str) -> float:
    return samples.get((name, frozenset(labels.items())), 0)


def requests(samples: Samples, door: str, outcome: str, model: str = "colours") -> float:
    return value(samples, "vision_requests_total", model=model, door=door, outcome=outcome)


def infer_over_grpc(server: Server, image: bytes, model: str = "colours") -> None:
    message = message_type("ModelInferRequest")(model_name=model)
    message.inputs.add(name="image", datatype="BYTES", shape=[1]).contents.bytes_contents.append(image)
    with grpc.insecure_channel(server.grpc_address) as channel:
        method = "/inference.GRPCInferenceService/ModelInfer"
        channel.unary_unary(method)(message.SerializeToString(), timeout=ANSWER_SECONDS)


def test_every_door_is_counted_and_timed(server: Server, client: httpx.Client) -> None:
    for door, ask in DOORS.items():
        assert ask(RED).send(client).status_code == 200
        assert ask(NOT_AN_IMAGE).send(client).status_code == 400, door
    infer_over_grpc(server, RED)
    with pytest.raises(grpc.RpcError):
        infer_over_grpc(server, NOT_AN_IMAGE)
    samples = scrape(server)
    for door in ("v2", "v1", "predict", "grpc"):
        expected = max(1, list(METRIC_DOORS.values()).count(door))
        assert requests(samples, door, "ok") == expected
        assert requests(samples, door, "invalid_input") == expected
        assert value(samples, "vision_request_seconds_count", model="colours", door=door) == 2 * expected


def test_every_stage_is_timed_once_for_what_it_works_on(server: Server, client: httpx.Client) -> None:
    assert MANY["multipart"](RED, GREEN, BLUE).send(client).status_code == 200
    samples = scrape(server)
    counts = {
        stage: value(samples, "vision_stage_seconds_count", model="colours", stage=stage)
        for stage in ("decode", "imaging", "queue", "inference", "encode")
    }
    assert counts == {"decode": 1, "imaging": 3, "queue": 3, "inference": counts["inference"], "encode": 1}
    assert 1 <= counts["inference"] <= 3
    assert value(samples, "vision_batch_images_count", model="colours") == counts["inference"]
    assert value(samples, "vision_batch_images_sum", model="colours") == 3


def test_images_are_measured_as_they_came(server: Server, client: httpx.Client) -> None:
    assert MANY["v2-binary"](RED, GREEN).send(client).status_code == 200
    samples = scrape(server)
    assert value(samples, "vision_image_bytes_sum", model="colours") == len(RED) + len(GREEN)
    assert value(samples, "vision_image_pixels_count", model="colours") == 2
    of_files = value(samples, "vision_image_pixels_sum", model="colours")
    pixels = {"name": "pixels", "datatype": "UINT8", "shape": [1, 2, 3, 3], "data": [0] * 18}
    assert v2({"inputs": [pixels]}).send(client).status_code == 200
    samples = scrape(server)
    assert value(samples, "vision_image_bytes_count", model="colours") == 2
    assert value(samples, "vision_image_pixels_count", model="colours") == 3
    assert value(samples, "vision_image_pixels_sum", model="colours") == of_files + 2 * 3


def test_the_queue_is_empty_after_answers_and_refusals_alike(server: Server, client: httpx.Client) -> None:
    for call in (ask_raw(RED), ask_raw(NOT_AN_IMAGE), ask_v2_json(RED, timeout_seconds=1e-6)):
        call.send(client)
    samples = scrape(server)
    assert ("vision_queue_images", frozenset({("model", "colours")})) in samples
    assert value(samples, "vision_queue_images", model="colours") == 0
    assert requests(samples, "v2", "deadline_unmet") == 1


def test_other_refusals_have_their_own_outcomes(server: Server, client: httpx.Client) -> None:
    MANY["v2-json"](*[RED] * 5).send(client)
    Call(PREDICT, RED, {"Content-Encoding": "br"}).send(client)
    samples = scrape(server)
    assert requests(samples, "v2", "too_large") == 1
    assert requests(samples, "predict", "unsupported_media_type") == 1


def test_a_client_can_not_make_series_of_models_that_are_not_here(server: Server, client: httpx.Client) -> None:
    for name in ("a", "b", "c"):
        client.post(f"/model/{name}/predict", content=RED)
        with pytest.raises(grpc.RpcError):
            infer_over_grpc(server, RED, name)
    samples = scrape(server)
    assert requests(samples, "predict", "model_not_found", model="") == 3
    assert requests(samples, "grpc", "model_not_found", model="") == 3
    assert {dict(labels)["model"] for _, labels in samples if "model" in dict(labels)} == {"", "colours"}


def test_what_serves_is_told_with_its_age(server: Server, colour_bundle: Path) -> None:
    samples = scrape(server)
    labels = {
        "model": "colours",
        "revision": read_bundle(colour_bundle).version,
        "architecture": "mean-colour",
        "weights": "none",
        "precision": "int8",
        "engine": "openvino",
        "device": "cpu",
    }
    assert value(samples, "vision_model_info", **labels) == 1
    ready = value(samples, "vision_model_ready_timestamp_seconds", model="colours")
    assert value(samples, "process_start_time_seconds") <= ready + 1


def test_idle_connections_to_the_metrics_port_are_closed_and_cost_no_thread(
    colour_bundle: Path, tmp_path: Path
) -> None:
    arguments = ("--models", str(colour_bundle), "--body-timeout-seconds", "1")
    with running_server(tmp_path / "log", *arguments) as server, contextlib.ExitStack() as stack:
        address = urlsplit(server.metrics_url)
        threads = Path(f"/proc/{server.process.pid}/status")
        before = re.search(r"Threads:\t(\d+)", threads.read_text())
        idle = [
            stack.enter_context(socket.create_connection((address.hostname, address.port), timeout=ANSWER_SECONDS))
            for _ in range(100)
        ]
        assert value(scrape(server), "process_start_time_seconds")
        assert [connection.recv(1) for connection in idle] == [b""] * 100
        after = re.search(r"Threads:\t(\d+)", threads.read_text())
        assert before
        assert after
        assert int(after[1]) - int(before[1]) < 10
