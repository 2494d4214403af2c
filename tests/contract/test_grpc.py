"""The gRPC port, asked as it should be: every input, parameter and procedure."""

import threading
from collections.abc import Iterator
from typing import Any

import grpc
import httpx
import numpy as np
import pytest
from bundles import GAIN, SIZE
from doors import MODEL
from grpc_doors import GRPC_DOORS, Client, ask_contents, ask_raw_contents, assert_refused, infer, message, unframed
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase
from pictures import BLUE, GREEN, PICTURES, RED
from servers import Server, running_server

from model_server.codec.grpc_messages import SERVICE_NAME

SERVING, NOT_SERVING = health_pb2.HealthCheckResponse.SERVING, health_pb2.HealthCheckResponse.NOT_SERVING
DEFAULT_OUTPUTS = ["labels", "probabilities", "classes"]


def pixels(**contents: Any) -> dict[str, Any]:
    return {"name": "pixels", "datatype": "UINT8", "shape": [1, 2, 2, 3], **contents}


def tensor(**contents: Any) -> dict[str, Any]:
    return {"name": "tensor", "datatype": "FP32", "shape": [1, 3, SIZE, SIZE], **contents}


def green_tensor() -> np.ndarray:
    values = np.zeros((1, 3, SIZE, SIZE), "<f4")
    values[0, 1] = 1
    return values


@pytest.mark.parametrize("door", GRPC_DOORS)
def test_images_are_labelled(calls: Client, door: str) -> None:
    assert calls.infer(GRPC_DOORS[door](RED)).labels() == ["red"]
    assert calls.infer(GRPC_DOORS[door](BLUE, GREEN)).labels() == ["blue", "green"]


def test_pixels_are_labelled(calls: Client) -> None:
    blue = [0, 0, 255] * 4
    assert calls.infer(infer(pixels(), raw=(bytes(blue),))).labels() == ["blue"]
    assert calls.infer(infer(pixels(contents={"uint_contents": blue}))).labels() == ["blue"]


def test_tensors_are_labelled(tensor_calls: Client) -> None:
    values = green_tensor()
    assert tensor_calls.infer(infer(tensor(), raw=(values.tobytes(),))).labels() == ["green"]
    contents = {"fp32_contents": values.ravel().tolist()}
    assert tensor_calls.infer(infer(tensor(contents=contents))).labels() == ["green"]


def test_an_answer_comes_the_way_the_request_went(calls: Client) -> None:
    typed = calls.infer(ask_contents(RED, BLUE, id="7")).read()
    raw = calls.infer(ask_raw_contents(RED, BLUE, id="7")).read()
    for answer in (typed, raw):
        assert (answer.model_name, answer.id) == (MODEL, "7")
        assert [(output.name, output.datatype, list(output.shape)) for output in answer.outputs] == [
            ("labels", "BYTES", [2, 3]),
            ("probabilities", "FP32", [2, 3]),
            ("classes", "INT64", [2, 3]),
        ]
    assert not typed.raw_output_contents
    assert not any(output.HasField("contents") for output in raw.outputs)
    labels, probabilities, classes = (output.contents for output in typed.outputs)
    assert labels.bytes_contents == unframed(raw.raw_output_contents[0])
    assert probabilities.fp32_contents == np.frombuffer(raw.raw_output_contents[1], "<f4").tolist()
    assert classes.int64_contents == np.frombuffer(raw.raw_output_contents[2], "<i8").tolist()
    assert classes.int64_contents[::3] == [0, 2]


def test_a_request_without_an_id_gets_none(calls: Client) -> None:
    assert calls.infer(ask_raw_contents(RED)).read().id == ""


@pytest.mark.parametrize("door", GRPC_DOORS)
def test_outputs_are_chosen_and_come_in_that_order(calls: Client, door: str) -> None:
    answer = calls.infer(GRPC_DOORS[door](RED, outputs=[{"name": "logits"}, {"name": "labels"}])).read()
    assert [(output.name, list(output.shape)) for output in answer.outputs] == [("logits", [1, 3]), ("labels", [1, 3])]
    logits = answer.outputs[0].contents.fp32_contents
    if answer.raw_output_contents:
        logits = np.frombuffer(answer.raw_output_contents[0], "<f4").tolist()
    assert logits == pytest.approx([GAIN, 0, 0])


@pytest.mark.parametrize("door", GRPC_DOORS)
@pytest.mark.parametrize("top_k", [1, 2, 3])
def test_top_k(calls: Client, door: str, top_k: int) -> None:
    request = GRPC_DOORS[door](RED, BLUE, parameters={"top_k": {"int64_param": top_k}})
    assert [list(output.shape) for output in calls.infer(request).read().outputs] == [[2, top_k]] * 3
    assert calls.infer(request).labels() == ["red", "blue"]


def test_parameters_that_nobody_knows_are_passed_over(calls: Client) -> None:
    known_to_nobody = {"priority": {"int64_param": 1}, "binary_data_output": {"bool_param": True}, "empty": {}}
    assert calls.infer(ask_raw_contents(RED, parameters=known_to_nobody)).labels() == ["red"]


def test_a_timeout_as_a_parameter(calls: Client) -> None:
    assert calls.infer(ask_raw_contents(RED, timeout_seconds=30)).labels() == ["red"]
    unavailable = calls.infer(ask_raw_contents(RED, timeout_seconds=1e-6))
    assert_refused(unavailable, grpc.StatusCode.UNAVAILABLE, "deadline can't be met")


@pytest.mark.parametrize("compression", [grpc.Compression.Gzip, grpc.Compression.Deflate])
def test_a_compressed_message_is_read(calls: Client, compression: grpc.Compression) -> None:
    assert calls.infer(ask_raw_contents(RED, GREEN), compression=compression).labels() == ["red", "green"]


def test_calls_run_side_by_side_on_one_connection(calls: Client) -> None:
    infer_it = calls.channel.unary_unary(f"/{SERVICE_NAME}/ModelInfer")
    labels = list(PICTURES) * 10
    asked = [infer_it.future(ask_raw_contents(PICTURES[label]).SerializeToString()) for label in labels]
    read = [unframed(message("ModelInferResponse").FromString(call.result()).raw_output_contents[0]) for call in asked]
    assert [names[0].decode() for names in read] == labels


def test_the_version_that_is_served_may_be_named(calls: Client) -> None:
    (version,) = (
        calls.call("ModelMetadata", message("ModelMetadataRequest", name=MODEL)).read("ModelMetadataResponse").versions
    )
    answer = calls.infer(ask_raw_contents(RED, model_version=version)).read()
    assert answer.model_version == version
    named = message("ModelReadyRequest", name=MODEL, version=version)
    assert calls.call("ModelReady", named).read("ModelReadyResponse").ready


def test_metadata_is_what_rest_says(calls: Client, colours: httpx.Client) -> None:
    server = calls.call("ServerMetadata").read("ServerMetadataResponse")
    told = {"name": server.name, "version": server.version, "extensions": list(server.extensions)}
    assert told == colours.get("/v2").json()
    model = calls.call("ModelMetadata", message("ModelMetadataRequest", name=MODEL)).read("ModelMetadataResponse")
    assert {
        "name": model.name,
        "versions": list(model.versions),
        "platform": model.platform,
        **{
            kind: [{"name": t.name, "datatype": t.datatype, "shape": list(t.shape)} for t in tensors]
            for kind, tensors in (("inputs", model.inputs), ("outputs", model.outputs))
        },
    } == colours.get(f"/v2/models/{MODEL}").json()


def test_it_is_live_and_ready(calls: Client) -> None:
    assert calls.call("ServerLive").read("ServerLiveResponse").live
    assert calls.call("ServerReady").read("ServerReadyResponse").ready
    assert calls.call("ModelReady", message("ModelReadyRequest", name=MODEL)).read("ModelReadyResponse").ready


@pytest.mark.parametrize("service", ["", SERVICE_NAME])
def test_health_is_checked(calls: Client, service: str) -> None:
    stub = health_pb2_grpc.HealthStub(calls.channel)
    assert stub.Check(health_pb2.HealthCheckRequest(service=service)).status == SERVING


def test_the_health_of_another_service_is_not_known(calls: Client) -> None:
    with pytest.raises(grpc.RpcError) as caught:
        health_pb2_grpc.HealthStub(calls.channel).Check(health_pb2.HealthCheckRequest(service="another"))
    assert caught.value.code() is grpc.StatusCode.NOT_FOUND


def test_reflection_shows_every_service(calls: Client) -> None:
    shown = ProtoReflectionDescriptorDatabase(calls.channel)
    assert sorted(shown.get_services()) == [
        "grpc.health.v1.Health",
        "grpc.reflection.v1alpha.ServerReflection",
        SERVICE_NAME,
    ]
    file = shown.FindFileContainingSymbol(SERVICE_NAME)
    (service,) = [service for service in file.service if f"{file.package}.{service.name}" == SERVICE_NAME]
    assert {"ModelInfer", "ServerLive", "ModelReady", "ModelMetadata"} <= {method.name for method in service.method}
    assert "ModelInferRequest" in {message.name for message in file.message_type}


@pytest.fixture
def draining_server(colour_bundle: Any, tmp_path: Any) -> Iterator[Server]:
    """A server that drains for ever once it is told to."""
    arguments = ("--models", str(colour_bundle), "--drain-delay-seconds", "3600")
    with running_server(tmp_path / "log", *arguments) as server:
        yield server


def test_who_watches_sees_the_drain_begin(draining_server: Server) -> None:
    """Also where another that watched has gone."""
    with grpc.insecure_channel(draining_server.grpc_address) as channel:
        calls, stub = Client(channel), health_pb2_grpc.HealthStub(channel)
        watches = [stub.Watch(health_pb2.HealthCheckRequest(service=name)) for name in ("", SERVICE_NAME, "", "")]
        seen = [iter(watch) for watch in watches]
        assert [next(statuses).status for statuses in seen] == [SERVING] * 4
        ended = threading.Event()
        watches[0].add_callback(ended.set)
        watches[0].cancel()
        assert ended.wait(60)
        assert calls.call("ServerLive").read("ServerLiveResponse").live  # by now the server knows that one has gone
        draining_server.process.terminate()
        assert [next(statuses).status for statuses in seen[1:]] == [NOT_SERVING] * 3
        assert stub.Check(health_pb2.HealthCheckRequest()).status == NOT_SERVING
        assert not calls.call("ServerReady").read("ServerReadyResponse").ready
        assert not calls.call("ModelReady", message("ModelReadyRequest", name=MODEL)).read("ModelReadyResponse").ready
        assert calls.call("ServerLive").read("ServerLiveResponse").live
        assert calls.infer(ask_raw_contents(RED)).labels() == ["red"]
    assert draining_server.terminate() == 0  # a second signal waits for nothing
    assert "Traceback" not in draining_server.log.read_text()
