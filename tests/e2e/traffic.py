"""Requests at a constant rate through the Ingress, each answer held against what the revision that it names must say.

A process of its own: `python traffic.py PLAN.json`, where the plan is a `Plan` as JSON. A line on its standard input
marks a moment; its end ends the traffic, once what was sent is answered. It prints a `Summary` as JSON. Nothing is sent
twice. REST goes in binary tensors, over a connection that is kept and over a new one in turns; gRPC likewise.
"""

import asyncio
import json
import struct
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path

import aiohttp
import grpc
from tritonclient.grpc import service_pb2, service_pb2_grpc

ANSWER_SECONDS = 60
EXAMPLES = 20
NO_POD, NO_POD_OVER_GRPC = b"no available server", "Received http2 header with status: 503"
"""What Traefik says where no pod of a Service is ready."""
OUTPUTS = [{"name": "labels", "parameters": {"binary_data": False}}]


@dataclass(frozen=True)
class Plan:
    """What to send. ``expected`` has, for each revision's version, the label of each picture, by the picture's path."""

    address: str
    host: str
    grpc_host: str
    model: str
    expected: dict[str, dict[str, str]]
    rate: float = 60.0
    """Requests a second."""
    grpc_every: int = 8
    """One request in so many goes over gRPC."""


@dataclass
class Summary:
    """What came of it; seconds run from the begin, latencies are in seconds."""

    sent: dict[str, int] = field(default_factory=dict)
    failed: int = 0
    wrong: int = 0
    refused: int = 0
    """Answered by the model that it can't be taken now, and when to come back: not accepted, so not lost."""
    unrouted: int = 0
    """Answered 503 by the Ingress controller, because no pod was ready: not accepted either, by anybody."""
    examples: list[str] = field(default_factory=list)
    """The first failures and wrong answers, with when they were sent and what was done last before they ended."""
    revisions: dict[str, int] = field(default_factory=dict)
    seconds: float = 0.0
    latency: dict[str, float] = field(default_factory=dict)
    marks: list[tuple[float, str]] = field(default_factory=list)

    @property
    def total(self) -> int:
        """Return how many requests were sent."""
        return sum(self.sent.values())

    def __str__(self) -> str:
        sent = ", ".join(f"{count} {way}" for way, count in sorted(self.sent.items()))
        late = ", ".join(f"{name} {seconds * 1000:.0f} ms" for name, seconds in self.latency.items())
        lines = [
            f"{self.total} requests in {self.seconds:.0f} s ({sent}): failed {self.failed}, "
            f"wrong {self.wrong}, refused {self.refused}, unrouted {self.unrouted}",
            f"latency: {late}; answers by revision: {self.revisions}",
            *(f"  {at:6.1f} s  {what}" for at, what in self.marks),
            *(f"  ! {example}" for example in self.examples),
        ]
        return "\n".join(lines)


class WrongAnswerError(Exception):
    """An answer that its own revision does not give."""


class RefusedError(Exception):
    """An answer that says when to come back."""


class UnroutedError(Exception):
    """An answer of the Ingress controller, that it has nowhere to go."""


Ask = Callable[[bytes], Awaitable[tuple[str, str]]]
"""Shows a picture; returns the version of the revision that answered, and its label."""


class Traffic:
    """The requests of a plan."""

    def __init__(self, plan: Plan, session: aiohttp.ClientSession, channel: grpc.aio.Channel) -> None:
        self._plan = plan
        self._session = session
        self._channel = channel
        self._pictures = {path: Path(path).read_bytes() for path in next(iter(plan.expected.values()))}
        self._summary = Summary()
        self._sent: Counter[str] = Counter()
        self._revisions: Counter[str] = Counter()
        self._latencies: list[float] = []
        self._begin = time.perf_counter()

    def mark(self, what: str) -> None:
        """Remember that something is done to the cluster now."""
        self._summary.marks.append((round(time.perf_counter() - self._begin, 1), what))

    async def run(self, ended: asyncio.Event) -> Summary:
        """Send until it has ended, and wait for every answer."""
        ways: list[tuple[str, Ask]] = [("REST kept", self._rest_kept), ("REST new", self._rest_new)]
        over_grpc: list[tuple[str, Ask]] = [("gRPC kept", self._grpc_kept), ("gRPC new", self._grpc_new)]
        paths, tasks, number = list(self._pictures), set(), 0
        self._begin = time.perf_counter()
        while not ended.is_set():
            every = self._plan.grpc_every
            way = over_grpc[number // every % 2] if number % every == 0 else ways[number % 2]
            task = asyncio.create_task(self._send(*way, paths[number % len(paths)]))
            tasks.add(task)
            task.add_done_callback(tasks.discard)
            number += 1
            await asyncio.sleep(max(0.0, self._begin + number / self._plan.rate - time.perf_counter()))
        await asyncio.gather(*tasks)
        return self._finish()

    async def _send(self, way: str, ask: Ask, path: str) -> None:
        self._sent[way] += 1
        begin = time.perf_counter()
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                version, label = await ask(self._pictures[path])
            self._check(version, label, path)
        except WrongAnswerError as error:
            self._summary.wrong += 1
            self._keep(way, begin, str(error))
        except RefusedError:
            self._summary.refused += 1
        except UnroutedError:
            self._summary.unrouted += 1
        except (aiohttp.ClientError, grpc.aio.AioRpcError, TimeoutError, OSError, ValueError, LookupError) as error:
            self._summary.failed += 1
            self._keep(way, begin, error.details() if isinstance(error, grpc.aio.AioRpcError) else repr(error))
        self._latencies.append(time.perf_counter() - begin)

    def _check(self, version: str, label: str, path: str) -> None:
        self._revisions[version] += 1
        if version not in self._plan.expected:
            raise WrongAnswerError(f"an answer of {version!r}, which no bundle here is")
        if label != (right := self._plan.expected[version][path]):
            raise WrongAnswerError(f"{Path(path).name}: {version} says {label!r}, and {right!r} is right")

    def _keep(self, way: str, begin: float, what: str) -> None:
        if len(self._summary.examples) < EXAMPLES:
            after = self._summary.marks[-1][1] if self._summary.marks else "the begin"
            at = begin - self._begin
            self._summary.examples.append(
                f"{way}, sent at {at:.2f} s, ended {time.perf_counter() - begin:.2f} s later, after {after!r}: {what}"
            )

    def _finish(self) -> Summary:
        summary, ordered = self._summary, sorted(self._latencies)
        summary.sent, summary.revisions = dict(self._sent), dict(self._revisions)
        summary.seconds = round(time.perf_counter() - self._begin, 1)
        at = {"p50": 0.5, "p99": 0.99, "max": 1.0}
        summary.latency = {name: round(ordered[round(part * (len(ordered) - 1))], 4) for name, part in at.items()}
        return summary

    async def _rest_kept(self, picture: bytes) -> tuple[str, str]:
        return await self._rest(self._session, picture)

    async def _rest_new(self, picture: bytes) -> tuple[str, str]:
        async with open_session(keep=False) as session:
            return await self._rest(session, picture)

    async def _rest(self, session: aiohttp.ClientSession, picture: bytes) -> tuple[str, str]:
        parameters = {"binary_data_size": len(picture) + 4}
        inputs = [{"name": "image", "datatype": "BYTES", "shape": [1], "parameters": parameters}]
        head = json.dumps({"inputs": inputs, "outputs": OUTPUTS, "parameters": {"top_k": 1}}).encode()
        headers = {"Host": self._plan.host, "Inference-Header-Content-Length": str(len(head))}
        url = f"http://{self._plan.address}/v2/models/{self._plan.model}/infer"
        body = head + struct.pack("<I", len(picture)) + picture
        async with session.post(url, data=body, headers=headers) as answer:
            said = await answer.read()
            if answer.status in (429, 503) and "retry-after" in answer.headers:
                raise RefusedError
            if answer.status == 503 and said.strip() == NO_POD:
                raise UnroutedError
            if answer.status != 200:
                raise ValueError(f"{answer.status}: {said[:200]!r}")
            document = json.loads(said)
        return document["model_version"], document["outputs"][0]["data"][0]

    async def _grpc_kept(self, picture: bytes) -> tuple[str, str]:
        return await self._grpc(self._channel, picture)

    async def _grpc_new(self, picture: bytes) -> tuple[str, str]:
        async with open_channel(self._plan) as channel:
            return await self._grpc(channel, picture)

    async def _grpc(self, channel: grpc.aio.Channel, picture: bytes) -> tuple[str, str]:
        image = service_pb2.ModelInferRequest.InferInputTensor(name="image", datatype="BYTES", shape=[1])
        image.contents.bytes_contents.append(picture)
        request = service_pb2.ModelInferRequest(model_name=self._plan.model, inputs=[image])
        request.parameters["top_k"].int64_param = 1
        try:
            answer = await service_pb2_grpc.GRPCInferenceServiceStub(channel).ModelInfer(request)
        except grpc.aio.AioRpcError as error:
            if "grpc-retry-pushback-ms" in dict(error.trailing_metadata() or ()):
                raise RefusedError from error
            if error.details() == NO_POD_OVER_GRPC:
                raise UnroutedError from error
            raise
        (labels,) = [output for output in answer.outputs if output.name == "labels"]
        return answer.model_version, labels.contents.bytes_contents[0].decode()


def open_session(*, keep: bool) -> aiohttp.ClientSession:
    """Return a client that sends nothing twice, over connections that it keeps or over new ones."""
    connector = aiohttp.TCPConnector(limit=0, force_close=not keep)
    return aiohttp.ClientSession(connector=connector)


def open_channel(plan: Plan) -> grpc.aio.Channel:
    """Return a connection of its own for gRPC."""
    options = [
        ("grpc.default_authority", plan.grpc_host),
        ("grpc.enable_retries", 0),
        ("grpc.use_local_subchannel_pool", 1),
    ]
    return grpc.aio.insecure_channel(plan.address, options)


async def follow(plan: Plan) -> Summary:
    """Send what a plan says until the standard input ends, and return what came of it."""
    ended = asyncio.Event()
    async with open_session(keep=True) as session, open_channel(plan) as channel:
        traffic = Traffic(plan, session, channel)

        async def listen() -> None:
            while line := await asyncio.to_thread(sys.stdin.readline):
                traffic.mark(line.strip())
            ended.set()

        listening = asyncio.create_task(listen())
        summary = await traffic.run(ended)
        await listening
    return summary


if __name__ == "__main__":
    print(json.dumps(asdict(asyncio.run(follow(Plan(**json.loads(Path(sys.argv[1]).read_text())))))))  # noqa: T201
