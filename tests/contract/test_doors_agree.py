"""The same image gets the same answer through every door, from the clients that people have."""

import base64
import contextlib
import itertools
import json
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from PIL import Image
from servers import Server, running_server

BUNDLE = Path(__file__).parents[2] / "models/digits"
SAMPLES = sorted((BUNDLE / "samples").glob("*.png"))
MANIFEST = yaml.safe_load((BUNDLE / "model.yaml").read_text())
TOLERANCE = 1e-5
CALLERS = 32
"""Half of them are curl, an eighth each of Triton's four clients: HTTP and gRPC, sync and aio."""
ROUNDS = 2
TRITON_DOORS = 24
"""8 ways of HTTP and 4 of gRPC, each sync and aio."""
WAIT_SECONDS = 120


@dataclass(frozen=True)
class Answer:
    """What a door said of some images, the likeliest label of each first."""

    labels: list[list[str]]
    probabilities: list[list[float]]
    classes: list[list[int]]

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, Answer)
            and self.labels == other.labels
            and self.classes == other.classes
            and np.shape(self.probabilities) == np.shape(other.probabilities)
            and np.allclose(self.probabilities, other.probabilities, rtol=0, atol=TOLERANCE)
        )


Ask = Callable[[str, Sequence[Path]], Answer]


@pytest.fixture(scope="module", params=["int8", "float32"])
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    log = tmp_path_factory.mktemp("log") / "server.log"
    with running_server(log, "--models", str(BUNDLE), "--precision", request.param) as server:
        yield server


@pytest.fixture(scope="module")
def expected(server: Server) -> dict[str, Answer]:
    """Each sample's answer at the simplest door, asked alone."""
    return {sample.stem: ask_raw(server.url, [sample]) for sample in SAMPLES}


def test_the_samples_are_what_they_say(expected: dict[str, Answer]) -> None:
    assert len(expected) >= 10
    assert {name: answer.labels[0][0] for name, answer in expected.items()} == {
        Path(sample["path"]).stem: sample["label"] for sample in MANIFEST["samples"]
    }


def test_one_image_gets_one_answer_at_every_door(server: Server, expected: dict[str, Answer]) -> None:
    for sample in SAMPLES:
        for ask in (ask_multipart, ask_v1, ask_v2):
            assert ask(server.url, [sample]) == expected[sample.stem], (ask, sample)
    assert_right(run_triton(server, [question(sample) for sample in SAMPLES]), expected)


def test_many_images_in_a_request_get_the_answers_that_each_gets(server: Server, expected: dict[str, Answer]) -> None:
    together = join([expected[sample.stem] for sample in SAMPLES])
    for ask in (ask_multipart, ask_v1, ask_v2):
        assert ask(server.url, SAMPLES) == together, ask
    asked = [{"name": "all", "input": "image", "files": [str(sample) for sample in SAMPLES]}]
    assert_right(run_triton(server, asked), {"all": together})


def test_decoded_pixels_get_the_answer_that_their_file_gets(
    server: Server, expected: dict[str, Answer], tmp_path: Path
) -> None:
    asked = []
    for sample in SAMPLES[:3]:
        np.save(tmp_path / sample.stem, np.asarray(Image.open(sample).convert("RGB"))[np.newaxis])
        asked.append({"name": sample.stem, "input": "pixels", "files": [str(tmp_path / f"{sample.stem}.npy")]})
    assert_right(run_triton(server, asked), expected)


@pytest.mark.parametrize("server", ["float32"], indirect=True)
def test_a_prepared_tensor_gets_the_answer_that_its_file_gets(
    server: Server, expected: dict[str, Answer], tmp_path: Path
) -> None:
    steps = MANIFEST["preprocessing"]
    assert steps["resize"] == steps["crop"]
    assert steps["interpolation"] == "bilinear"
    asked = []
    for sample in SAMPLES[:3]:
        image = Image.open(sample).convert("RGB").resize((steps["crop"],) * 2, Image.Resampling.BILINEAR)
        tensor = (np.asarray(image, np.float32) / 255 - steps["mean"]) / steps["std"]
        np.save(tmp_path / sample.stem, tensor.transpose(2, 0, 1)[np.newaxis].astype(np.float32))
        asked.append({"name": sample.stem, "input": "tensor", "files": [str(tmp_path / f"{sample.stem}.npy")]})
    assert_right(run_triton(server, asked), expected)


@pytest.mark.parametrize("server", ["int8"], indirect=True)
def test_many_callers_at_once_each_get_their_own_images_answer(server: Server, expected: dict[str, Answer]) -> None:
    asks: tuple[Ask, ...] = (ask_raw, ask_multipart, ask_v1, ask_v2)

    def call(number: int) -> list[tuple[str, Answer]]:
        doors = itertools.islice(itertools.cycle(asks), number, None)
        samples = [SAMPLES[(number + turn) % len(SAMPLES)] for turn in range(ROUNDS * len(SAMPLES) // 2)]
        return [(sample.stem, ask(server.url, [sample])) for sample, ask in zip(samples, doors, strict=False)]

    asked = [question(sample) for sample in SAMPLES] * ROUNDS
    with triton(server, asked, callers=CALLERS // 8) as begin, ThreadPoolExecutor(CALLERS // 2 + 1) as threads:
        answers = threads.submit(begin)
        called = [found for calls in threads.map(call, range(CALLERS // 2)) for found in calls]
        assert_right(answers.result(), expected)
    assert len(called) == CALLERS // 2 * ROUNDS * len(SAMPLES) // 2
    assert [(name, answer) for name, answer in called if answer != expected[name]] == []


@pytest.mark.parametrize("server", ["float32"], indirect=True)
def test_tritons_clients_find_out_what_is_served(server: Server) -> None:
    command = _triton_command("triton_describer.py", server)
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        found = json.loads(process.communicate(timeout=WAIT_SECONDS)[0])
    assert len(found["told"]) == 4
    told, *others = found["told"].values()
    assert others == [told] * 3
    for refusal in found["streams"].values():
        assert "ModelStreamInfer is not served here; ModelInfer takes a request at a time" in refusal
    assert {key: value for key, value in told.items() if isinstance(value, bool)} == {
        "live": True,
        "ready": True,
        "model_ready": True,
        "version_ready": True,
        "other_version_ready": False,
        "other_model_ready": False,
    }
    assert told["server"]["name"] == "kserve-vision"
    assert told["server"]["extensions"] == ["binary_tensor_data", "model_repository"]
    metadata = told["metadata"]
    assert told["version_metadata"] == metadata
    assert (metadata["name"], metadata["platform"]) == ("digits", "onnxruntime_float32")
    assert metadata["inputs"] == [
        {"name": "image", "datatype": "BYTES", "shape": [-1]},
        {"name": "pixels", "datatype": "UINT8", "shape": [-1, -1, -1, 3]},
        {"name": "tensor", "datatype": "FP32", "shape": [-1, 3, 32, 32]},
    ]
    assert metadata["outputs"] == [
        {"name": "labels", "datatype": "BYTES", "shape": [-1, -1]},
        {"name": "probabilities", "datatype": "FP32", "shape": [-1, -1]},
        {"name": "classes", "datatype": "INT64", "shape": [-1, -1]},
        {"name": "logits", "datatype": "FP32", "shape": [-1, 10]},
    ]


def ask_raw(url: str, files: Sequence[Path]) -> Answer:
    (file,) = files
    return read_predictions([curl(f"{url}/model/digits/predict", "--data-binary", f"@{file}")["predictions"]])


def ask_multipart(url: str, files: Sequence[Path]) -> Answer:
    form = [text for file in files for text in ("-F", f"image=@{file}")]
    return read_predictions(curl(f"{url}/model/digits/predict", *form)["predictions"])


def ask_v1(url: str, files: Sequence[Path]) -> Answer:
    body = {"instances": [{"image": {"b64": encode_base64(file)}} for file in files]}
    return read_predictions(curl_json(f"{url}/v1/models/digits:predict", body)["predictions"])


def ask_v2(url: str, files: Sequence[Path]) -> Answer:
    data = [encode_base64(file) for file in files]
    body = {"inputs": [{"name": "image", "datatype": "BYTES", "shape": [len(data)], "data": data}]}
    outputs = {output["name"]: output for output in curl_json(f"{url}/v2/models/digits/infer", body)["outputs"]}
    assert set(outputs) == {"labels", "probabilities", "classes"}
    nested = {name: np.reshape(output["data"], output["shape"]).tolist() for name, output in outputs.items()}
    return Answer(**nested)


def curl(url: str, *arguments: str, body: str | None = None) -> dict[str, Any]:
    command = ["curl", "--silent", "--show-error", "--fail-with-body", "--noproxy", "*", url, *arguments]
    done = subprocess.run(command, input=body, capture_output=True, text=True, timeout=WAIT_SECONDS, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def curl_json(url: str, document: object) -> dict[str, Any]:
    return curl(url, "-H", "Content-Type: application/json", "--data-binary", "@-", body=json.dumps(document))


def encode_base64(file: Path) -> str:
    return base64.b64encode(file.read_bytes()).decode()


def read_predictions(predictions: list[list[dict[str, Any]]]) -> Answer:
    fields = ("label", "probability", "class")
    return Answer(*([[entry[field] for entry in image] for image in predictions] for field in fields))


def join(answers: Sequence[Answer]) -> Answer:
    return Answer(
        [row for answer in answers for row in answer.labels],
        [row for answer in answers for row in answer.probabilities],
        [row for answer in answers for row in answer.classes],
    )


def question(sample: Path) -> dict[str, Any]:
    return {"name": sample.stem, "input": "image", "files": [str(sample)]}


def run_triton(server: Server, asked: list[dict[str, Any]]) -> list[dict[str, Any]]:
    with triton(server, asked, callers=1) as begin:
        return begin()


@contextlib.contextmanager
def triton(
    server: Server, asked: list[dict[str, Any]], *, callers: int
) -> Iterator[Callable[[], list[dict[str, Any]]]]:
    """Start Triton's clients; what is yielded lets them ask and returns what they were answered."""
    command = _triton_command("triton_caller.py", server, questions=asked, callers=callers)
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:

        def begin() -> list[dict[str, Any]]:
            answers: list[dict[str, Any]] = json.loads(process.communicate("begin\n", timeout=WAIT_SECONDS)[0])
            assert process.returncode == 0
            doors = {answer["door"] for answer in answers}
            assert len(answers) == len(doors) * len(asked)
            assert len(doors) == TRITON_DOORS
            return answers

        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
            yield begin
        finally:
            process.kill()


def _triton_command(program: str, server: Server, **job: object) -> list[str]:
    addresses = {"http": server.url.removeprefix("http://"), "grpc": server.grpc_address}
    job = {"addresses": addresses, "model": "digits", **job}
    return [sys.executable, str(Path(__file__).with_name(program)), json.dumps(job)]


def assert_right(answers: list[dict[str, Any]], expected: dict[str, Answer]) -> None:
    wrong = []
    for answer in answers:
        found = Answer(answer["labels"], answer["probabilities"], answer["classes"])
        if found != expected[answer["name"]]:
            wrong.append((answer["door"], answer["name"], found))
    assert wrong == []
