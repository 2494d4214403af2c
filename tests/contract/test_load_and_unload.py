"""Load, unload and infer from many clients at once, Triton's too, while the server starts and stops: row 32."""

import asyncio
import json
import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest
from bundles import write_colour_bundle
from callers import ANSWER_SECONDS, Question, ask_every_door, open_connection, read_answer, write_request
from doors import MODEL, assert_refused, top_labels, unharmed
from operators import TOKEN, Operator, repository_server, revise
from pictures import PICTURES, RED
from servers import Server, is_ready, wait_until

CLIENTS, OPERATIONS = 32, 300
SHARES = {"infer": 0.65, "load": 0.3, "unload": 0.05}
DOCUMENTED = {"infer": {200, 404}, "load": {200}, "unload": {200, 404}}
REVISIONS_SECONDS = 0.2
"""How often the bundle on disk gets another revision meanwhile."""
MAX_GROWTH_BYTES = 32 << 20
"""One run takes 4 MiB more or less than the one before it, and builds 150 engines."""


@pytest.fixture
def models(tmp_path: Path) -> Path:
    """A folder of one bundle."""
    write_colour_bundle(tmp_path / "models" / MODEL)
    return tmp_path / "models"


@dataclass
class Crowd:
    """Clients of one server, and what they were told."""

    url: str
    questions: list[Question]
    seen: Counter[tuple[str, int]] = field(default_factory=Counter)
    offences: list[str] = field(default_factory=list)
    versions: set[str] = field(default_factory=set)

    async def operate(self, seed: int) -> None:
        """Do what a client of the crowd does, on one connection."""
        order = random.Random(seed)
        connection = await open_connection(self.url)
        try:
            for what in order.choices(list(SHARES), list(SHARES.values()), k=OPERATIONS):
                question = order.choice(self.questions) if what == "infer" else operation(what)
                await asyncio.get_running_loop().sock_sendall(connection, question.request)
                async with asyncio.timeout(ANSWER_SECONDS):
                    status, _, body = await read_answer(connection)
                self.file(what, status, json.loads(body), question)
        finally:
            connection.close()

    def file(self, what: str, status: int, answer: dict, question: Question) -> None:
        """Note an answer."""
        self.seen[what, status] += 1
        if status not in DOCUMENTED[what] or (status == 200 and not question.is_right(answer)):
            self.offences.append(f"{what} got {status} {answer}")
        if what == "infer" and status == 200:
            self.versions.add(answer.get("model_version") or answer["revision"])


def operation(verb: str) -> Question:
    """Return the request that loads or unloads the model."""
    path = f"/v2/repository/models/{MODEL}/{verb}"
    request = write_request(path, "application/json", b"", f"Authorization: Bearer {TOKEN}")
    return Question(request, lambda answer: answer["name"] == MODEL and answer[verb] is True)


async def storm(crowd: Crowd, bundle: Path) -> set[str]:
    """Let the clients do what they do, while the bundle changes; return the versions that it had."""
    versions = {revise(bundle)}

    async def change() -> None:
        while True:
            await asyncio.sleep(REVISIONS_SECONDS)
            versions.add(revise(bundle))

    changing = asyncio.create_task(change())
    async with asyncio.TaskGroup() as clients:
        for seed in range(CLIENTS):
            clients.create_task(crowd.operate(seed))
    changing.cancel()
    return versions


def resources(server: Server) -> tuple[int, int]:
    """Return the bytes of memory that the server has and the number of its threads."""
    lines = Path(f"/proc/{server.process.pid}/status").read_text().splitlines()
    values = {name: value.split()[0] for name, _, value in (line.partition(":") for line in lines) if value.strip()}
    return int(values["VmRSS"]) * 1024, int(values["Threads"])


def test_row_32_load_unload_and_infer_from_many_clients_at_once(models: Path) -> None:
    questions = [question for label, image in PICTURES.items() for question in ask_every_door(MODEL, image, label)]
    with (
        repository_server(models) as server,
        httpx.Client(base_url=server.url, timeout=ANSWER_SECONDS, trust_env=False) as client,
    ):
        operator = Operator(server.url)
        with unharmed(client):
            for _ in range(20):  # what an allocator and lazy imports keep is there once, before it is measured
                assert operator.unload(MODEL).status_code == operator.load(MODEL).status_code == 200
            asyncio.run(storm(Crowd(server.url, questions), models / MODEL))
            assert operator.load(MODEL).status_code == 200
            memory, threads = resources(server)
            begin = time.monotonic()
            crowd = Crowd(server.url, questions)
            versions = asyncio.run(storm(crowd, models / MODEL))
            seconds = time.monotonic() - begin
            assert operator.load(MODEL).status_code == 200
        memory_after, threads_after = resources(server)
        loads = server.log.read_text().count("is served")
        print(  # noqa: T201
            f"{sum(crowd.seen.values())} operations in {seconds:.1f} s: {dict(crowd.seen)}; {loads} engines built; "
            f"{len(crowd.versions)} of {len(versions)} revisions answered; "
            f"VmRSS {memory / 2**20:.1f} -> {memory_after / 2**20:.1f} MiB; threads {threads} -> {threads_after}"
        )
        assert crowd.offences == []
        assert sum(crowd.seen.values()) == CLIENTS * OPERATIONS
        assert set(crowd.seen) >= {("infer", 200), ("load", 200), ("unload", 200)}
        assert len(crowd.versions) > 1
        assert server.process.poll() is None
        assert "Traceback" not in server.log.read_text()
        assert memory_after - memory < MAX_GROWTH_BYTES
        # asyncio's own pool fills up when it is needed; a thread that an engine leaves behind would make hundreds
        assert threads_after <= threads + min(32, (os.cpu_count() or 1) + 4) < threads + loads / 2
        assert server.terminate() == 0


def test_tritons_clients_load_and_unload(models: Path) -> None:
    with repository_server(models) as server:
        addresses = {"http": server.url.removeprefix("http://"), "grpc": server.grpc_address}
        job = {**addresses, "model": MODEL, "token": TOKEN}
        command = [sys.executable, str(Path(__file__).with_name("triton_operator.py")), json.dumps(job)]
        result = subprocess.run(command, capture_output=True, text=True, timeout=120)
        assert result.returncode == 0, result.stderr
        version = Operator(server.url).state(MODEL)["version"]
        ready = {"name": MODEL, "version": version, "state": "READY", "reason": ""}
        unloaded = {**ready, "state": "UNAVAILABLE", "reason": "unloaded"}
        outcome = json.loads(result.stdout)
        assert len(outcome) == 4
        for client, steps in outcome.items():
            (first, why), (second, why_not) = steps.pop("without token"), steps.pop("with config")
            codes = {"http": ("401", "400"), "grpc": ("StatusCode.UNAUTHENTICATED", "StatusCode.INVALID_ARGUMENT")}
            assert (first, second) == codes[client.rpartition(" ")[2]]
            assert why.startswith("a token is needed")
            assert "not taken" in why_not
            assert steps == {"first": [[ready], True], "unloaded": [[unloaded], False], "loaded": [[ready], True]}


def gated_program(gate: Path) -> tuple[str, str]:
    return str(Path(__file__).with_name("gated_server.py")), str(gate)


def stopping_at_once(models: Path, gate: Path) -> AbstractContextManager[Server]:
    return repository_server(models, "--drain-delay-seconds", "0", program=gated_program(gate))


@pytest.mark.parametrize("waits", [True, False], ids=["its client waits", "its client has left"])
def test_sigterm_during_a_load(models: Path, gate: Path, waits: bool) -> None:
    """The load is done, whoever waits for it is told so, and the server ends as ever."""
    with stopping_at_once(models, gate) as server, ThreadPoolExecutor(2) as pool:
        new = revise(models / MODEL)
        gate.touch()
        if waits:
            loading = pool.submit(Operator(server.url).load, MODEL)
        else:
            with pytest.raises(httpx.ReadTimeout):
                Operator(server.url, timeout=0.5).load(MODEL)
        wait_until(gate.with_name("waiting").exists)
        server.process.send_signal(signal.SIGTERM)
        wait_until(lambda: "stopping: no new connections" in server.log.read_text())
        assert server.process.poll() is None
        gate.unlink()
        if waits:
            answer = loading.result(ANSWER_SECONDS)
            assert (answer.status_code, answer.json()["version"]) == (200, new)
        assert server.process.wait(ANSWER_SECONDS) == 0
        assert "Traceback" not in server.log.read_text()


def test_a_second_sigterm_ends_loads_and_unloads(models: Path, gate: Path) -> None:
    """Only the thread that is in the engine is waited for: nothing can end it from outside."""
    with stopping_at_once(models, gate) as server, ThreadPoolExecutor(2) as pool:
        revise(models / MODEL)
        gate.touch()
        operator = Operator(server.url)
        loading = pool.submit(operator.load, MODEL)
        wait_until(gate.with_name("waiting").exists)
        unloading = pool.submit(operator.unload, MODEL)
        server.process.send_signal(signal.SIGTERM)
        wait_until(lambda: "stopping: no new connections" in server.log.read_text())
        server.process.send_signal(signal.SIGTERM)
        wait_until(unloading.done)
        gate.unlink()
        answer = loading.result(ANSWER_SECONDS)
        if answer.status_code != 200:  # it was not done before the second signal came through
            assert_refused(answer, 503, "the server is stopping")
        assert server.process.wait(ANSWER_SECONDS) == 0
        assert "Traceback" not in server.log.read_text()


def test_a_server_that_drains_answers_and_neither_loads_nor_unloads(models: Path) -> None:
    with repository_server(models, "--drain-delay-seconds", "3600") as server:
        server.process.send_signal(signal.SIGTERM)
        wait_until(lambda: httpx.get(f"{server.url}/v2/health/ready", trust_env=False).status_code == 503)
        operator = Operator(server.url)
        for answer in (operator.load(MODEL), operator.unload(MODEL)):
            assert_refused(answer, 503, "the server is stopping")
        assert operator.state(MODEL)["state"] == "READY"
        answer = httpx.post(f"{server.url}/model/{MODEL}/predict", content=RED, trust_env=False)
        assert top_labels(answer) == ["red"]
        assert server.terminate() == 0


def test_a_model_that_is_unloaded_as_soon_as_it_is_there(models: Path, gate: Path) -> None:
    gate.touch()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    with (
        repository_server(models, "--http-port", str(port), wait_for="()", program=gated_program(gate)) as server,
        ThreadPoolExecutor(1) as pool,
    ):
        wait_until(gate.with_name("waiting").exists)
        unloading = pool.submit(Operator(url).unload, MODEL)
        gate.unlink()
        assert unloading.result(ANSWER_SECONDS).status_code == 200
        assert Operator(url).state(MODEL)["reason"] == "unloaded"
        wait_until(lambda: f"Address  {url}" in server.log.read_text())
        assert is_ready(url)
        assert Operator(url).load(MODEL).status_code == 200
        assert server.terminate() == 0
        assert "Traceback" not in server.log.read_text()
