"""The server ends without losing a request: whatever it let in is answered, whenever the signal comes."""

import asyncio
import io
import random
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
from bundles import COLOURS
from callers import ANSWER_SECONDS, Caller, Diary, Question, ask_every_door, open_connection, read_answer, write_request
from grpc_callers import GrpcCaller
from PIL import Image
from servers import FREE_PORTS, Server, is_ready, running_server, wait_until

SIGNALS = 20
DRAIN_DELAY_SECONDS = 0.3
LATEST_SIGNAL_SECONDS = 1.5
CALLERS = [(True, 0.0), (True, 0.0), (True, 0.02), (True, 2.0), (True, 3.0), (False, 0.0), (False, 0.0), (False, 0.05)]
"""Whether a caller keeps its connection, and the longest it thinks before it asks again."""
GRPC_CALLERS = [*((*caller, 1) for caller in CALLERS), (True, 0.0, 8)]
"""The same over gRPC, each one call at a time, and one that has eight under way on its connection."""
LONG_DELAY = ("--drain-delay-seconds", "3600")
"""A delay that would fail a test if it were waited for."""


@pytest.fixture(scope="module")
def red(colour_bundle: Path) -> bytes:
    return (colour_bundle / "samples/red-0.png").read_bytes()


async def signal_under_load(server: Server, questions: list[Question], images: Mapping[str, bytes], seed: int) -> Diary:
    diary = Diary(DRAIN_DELAY_SECONDS)
    async with asyncio.TaskGroup() as load:
        for number, (keep_alive, pause) in enumerate(CALLERS):
            seed_of_caller = seed * len(CALLERS) + number
            caller = Caller(
                server.url, diary, questions, seed_of_caller, keep_alive=keep_alive, longest_pause_seconds=pause
            )
            load.create_task(caller.ask_until_refused())
        for number, (keep, pause, at_once) in enumerate(GRPC_CALLERS):
            seed_of_caller = seed * len(GRPC_CALLERS) + number
            grpc_caller = GrpcCaller(
                server.grpc_address,
                diary,
                images,
                seed_of_caller,
                keep_channel=keep,
                longest_pause_seconds=pause,
                at_once=at_once,
            )
            load.create_task(grpc_caller.ask_until_refused())
        await asyncio.sleep(random.Random(seed).uniform(0, LATEST_SIGNAL_SECONDS))
        diary.signalled_at = time.monotonic()
        server.process.send_signal(signal.SIGTERM)
        diary.exit_status = await asyncio.to_thread(server.process.wait, ANSWER_SECONDS)
    return diary


def test_no_sigterm_loses_a_request(colour_bundle: Path, tmp_path: Path) -> None:
    images = {label: (colour_bundle / f"samples/{label}-0.png").read_bytes() for label in COLOURS}
    questions = [question for label in images for question in ask_every_door("colours", images[label], label)]
    questions.append(ask_every_door("colours", _large_blue(), "blue")[0])

    def run(seed: int) -> Diary:
        arguments = ("--drain-delay-seconds", str(DRAIN_DELAY_SECONDS), "--no-access-log")
        with running_server(tmp_path / f"{seed}.log", "--models", str(colour_bundle), *arguments) as server:
            return asyncio.run(signal_under_load(server, questions, images, seed))

    with ThreadPoolExecutor(2) as pool:
        diaries = list(pool.map(run, range(SIGNALS)))
    for seed, diary in enumerate(diaries):
        print(f"SIGTERM {seed}: {dict(diary.seen)}, lost {len(diary.offences)}, exit {diary.exit_status}")  # noqa: T201
    sums = Counter[str]()
    for diary in diaries:
        sums.update(diary.seen)
    lost = sum(len(diary.offences) for diary in diaries)
    print(  # noqa: T201
        f"{SIGNALS} SIGTERMs: {sums['right']} right answers and {sums['refused']} refusals over REST, "
        f"{sums['right over gRPC']} and {sums['refused over gRPC']} over gRPC, {lost} lost"
    )
    assert [(seed, offence) for seed, diary in enumerate(diaries) for offence in diary.offences] == []
    assert [diary.exit_status for diary in diaries] == [0] * SIGNALS
    assert all(diary.seen["right"] >= len(CALLERS) for diary in diaries)
    assert all(diary.seen["right over gRPC"] >= len(GRPC_CALLERS) for diary in diaries)


def test_work_that_outlasts_the_servers_own_timeout_is_answered(colour_bundle: Path, tmp_path: Path) -> None:
    arguments = ("--models", str(colour_bundle), "--threads", "1", "--timeout-seconds", "0.5")
    with running_server(tmp_path / "log", *arguments, "--drain-delay-seconds", "0") as server:
        answers = asyncio.run(_signal_once_work_is_accepted(server, requests=4, images=8))
        assert server.process.wait(ANSWER_SECONDS) == 0
    assert [status for status, _, _ in answers] == [200] * 4
    assert all(body.count(b'[{"label":"red"') == 8 for _, _, body in answers)


async def _signal_once_work_is_accepted(
    server: Server, *, requests: int, images: int
) -> list[tuple[int, dict[str, str], bytes]]:
    body = _form(_slow_red(), images)
    path, kind = "/model/colours/predict?timeout_seconds=60", f"multipart/form-data; boundary={BOUNDARY}"
    head = write_request(path, kind, body, "Expect: 100-continue")[: -len(body)]
    loop = asyncio.get_running_loop()

    async def begin() -> socket.socket:
        connection = await open_connection(server.url)
        await loop.sock_sendall(connection, head)
        assert (await read_answer(connection))[0] == 100  # the endpoint has begun to read: the request is accepted
        await loop.sock_sendall(connection, body)
        return connection

    connections = [await begin() for _ in range(requests)]
    server.process.send_signal(signal.SIGTERM)
    answers = await asyncio.gather(*(read_answer(connection) for connection in connections))
    for connection in connections:
        connection.close()
    return list(answers)


def test_while_draining_it_answers_but_is_not_ready(colour_bundle: Path, tmp_path: Path, red: bytes) -> None:
    with running_server(tmp_path / "log", "--models", str(colour_bundle), *LONG_DELAY) as server:
        assert is_ready(server.url)
        with httpx.Client() as kept:
            kept.get(f"{server.url}/v2/health/live")
            server.process.send_signal(signal.SIGTERM)
            wait_until(lambda: not is_ready(server.url))
            for path in ("/v2/health/ready", "/v2/models/colours/ready"):
                assert httpx.get(server.url + path).status_code == 503
            assert httpx.get(f"{server.url}/v2/health/live").status_code == 200
            for client in (kept, httpx):  # on the connection of before, and on one of its own
                answer = client.post(f"{server.url}/model/colours/predict", content=red)
                assert (answer.status_code, answer.headers["connection"]) == (200, "close")
                assert answer.json()["predictions"][0]["label"] == "red"
        assert server.terminate() == 0  # a second signal waits for nothing


def test_a_second_signal_says_who_is_cut_off_and_no_more(colour_bundle: Path, tmp_path: Path) -> None:
    with running_server(tmp_path / "log", "--models", str(colour_bundle)) as server:
        host, port = server.url.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port))) as upload:
            upload.sendall(b"POST /model/colours/predict HTTP/1.1\r\nHost: it\r\nContent-Length: 1000\r\n\r\nbegun")
            assert is_ready(server.url)  # so its head has been read too
            server.process.send_signal(signal.SIGINT)
            wait_until(lambda: "stopping: " in server.log.read_text())
            assert server.terminate(signal.SIGINT) == 0
        said = server.log.read_text()
        assert "requests that are cut off: 1" in said
        assert "Traceback" not in said


def test_ctrl_c_ends_it_without_the_delay(colour_bundle: Path, tmp_path: Path) -> None:
    with running_server(tmp_path / "log", "--models", str(colour_bundle), *LONG_DELAY) as server:
        assert server.terminate(signal.SIGINT) == 0
        assert "Traceback" not in server.log.read_text()


def test_a_signal_while_it_loads_ends_it(colour_bundle: Path, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    arguments = ("--models", str(colour_bundle), "--host", "127.0.0.1", *FREE_PORTS, "--http-port", str(port))
    log = tmp_path / "log"
    with log.open("wb") as file:
        process = subprocess.Popen(
            [sys.executable, "-m", "model_server", *arguments, "--drain-delay-seconds", "0"], stdout=file, stderr=file
        )
    try:
        wait_until(lambda: process.poll() is not None or _is_live(port))
        process.send_signal(signal.SIGTERM)
        assert process.wait(ANSWER_SECONDS) == 0
        assert "Traceback" not in log.read_text()
    finally:
        process.kill()
        process.wait()


def _is_live(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/v2/health/live").status_code == 200
    except httpx.TransportError:
        return False


BOUNDARY = "boundary"


def _form(image: bytes, count: int) -> bytes:
    part = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="image"; filename="image.png"\r\n\r\n'.encode()
    return (part + image + b"\r\n") * count + f"--{BOUNDARY}--\r\n".encode()


def _slow_red() -> bytes:
    """A small file that takes long to decode."""
    return _png(Image.new("RGB", (3000, 3000), COLOURS["red"]))


def _large_blue() -> bytes:
    """A file of more than a socket's buffer, whose strongest colour is blue."""
    noise = random.Random(0).randbytes(600 * 600)
    return _png(Image.merge("RGB", [Image.new("L", (600, 600))] * 2 + [Image.frombytes("L", (600, 600), noise)]))


def _png(image: Image.Image) -> bytes:
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()
