"""SIGTERM with work queued on both ports at once: row 29."""

import signal
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import grpc
from bundles import COLOURS
from doors import ANSWER_SECONDS, ask_multipart, ask_raw, top_labels
from gated_process import QUEUED, slow_server
from grpc_doors import Client, ask_raw_contents, assert_refused
from grpc_health.v1 import health_pb2, health_pb2_grpc
from pictures import PICTURES, RED
from servers import Server, wait_until
from test_start_and_stop import ask_apart

NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING
LABELS = [list(COLOURS)[number % len(COLOURS)] for number in range(QUEUED)]


def wait_until_full(server: Server, gate: Path) -> None:
    wait_until(gate.with_name("waiting").exists)
    too_many = ask_multipart(*[RED] * QUEUED)
    wait_until(lambda: f"{QUEUED} of {QUEUED} places" in ask_apart(server.url, too_many).text)


def test_row_29_sigterm_with_work_queued_on_both_ports(colour_bundle: Path, gate: Path) -> None:
    with (
        slow_server(colour_bundle, gate, "--drain-delay-seconds", "0.5") as server,
        grpc.insecure_channel(server.grpc_address) as channel,
        ThreadPoolExecutor(QUEUED + 1) as crowd,
    ):
        client, health = Client(channel), health_pb2_grpc.HealthStub(channel)
        gate.touch()
        over_grpc = [crowd.submit(client.infer, ask_raw_contents(PICTURES[label])) for label in LABELS[::2]]
        over_rest = [crowd.submit(ask_apart, server.url, ask_raw(PICTURES[label])) for label in LABELS[1::2]]
        wait_until_full(server, gate)
        server.process.send_signal(signal.SIGTERM)
        wait_until(lambda: health.Check(health_pb2.HealthCheckRequest()).status == NOT_SERVING)
        wait_until(lambda: "stopping: no new connections" in server.log.read_text())
        late = client.infer(ask_raw_contents(RED))
        assert late.code is grpc.StatusCode.UNAVAILABLE  # told so, or not connected any more
        assert server.process.poll() is None
        assert not any(answer.done() for answer in (*over_grpc, *over_rest))
        gate.unlink()
        for label, reply in zip(LABELS[::2], over_grpc, strict=True):
            assert reply.result(ANSWER_SECONDS).labels() == [label]
        for label, answer in zip(LABELS[1::2], over_rest, strict=True):
            assert top_labels(answer.result(ANSWER_SECONDS)) == [label]
        assert server.process.wait(ANSWER_SECONDS) == 0
        assert "Traceback" not in server.log.read_text()


def test_a_second_signal_says_how_many_are_cut_off_on_both_ports(colour_bundle: Path, gate: Path) -> None:
    with (
        slow_server(colour_bundle, gate) as server,
        grpc.insecure_channel(server.grpc_address) as channel,
        ThreadPoolExecutor(QUEUED) as crowd,
    ):
        client = Client(channel)
        gate.touch()
        for label in LABELS[::2]:
            crowd.submit(client.infer, ask_raw_contents(PICTURES[label]))
        for label in LABELS[1::2]:
            crowd.submit(ask_apart, server.url, ask_raw(PICTURES[label]))
        wait_until_full(server, gate)
        for said in ("stopping: no new connections", f"stopping at once; requests that are cut off: {QUEUED}\n"):
            server.process.send_signal(signal.SIGINT)
            wait_until(lambda said=said: said in server.log.read_text())
        gate.unlink()
        assert server.process.wait(ANSWER_SECONDS) == 0
        assert "Traceback" not in server.log.read_text()


def test_row_13_what_comes_after_the_delay_is_told_to_go_elsewhere(colour_bundle: Path, gate: Path) -> None:
    with (
        slow_server(colour_bundle, gate, "--drain-delay-seconds", "0.5") as server,
        grpc.insecure_channel(server.grpc_address) as channel,
        ThreadPoolExecutor(1) as crowd,
    ):
        client = Client(channel)
        gate.touch()
        accepted = crowd.submit(client.infer, ask_raw_contents(RED))
        wait_until(gate.with_name("waiting").exists)
        server.process.send_signal(signal.SIGTERM)
        refusals = []

        def is_refused() -> bool:
            reply = client.infer(ask_raw_contents(RED), timeout=0.1 * ANSWER_SECONDS)
            refusals.append(reply)
            return reply.code is grpc.StatusCode.UNAVAILABLE

        gate.unlink()
        wait_until(is_refused)
        assert_refused(refusals[-1], grpc.StatusCode.UNAVAILABLE, "stopping and accepts nothing more", "to another")
        assert [reply.labels() for reply in refusals[:-1]] == [["red"]] * (len(refusals) - 1)
        assert accepted.result(ANSWER_SECONDS).labels() == ["red"]
        assert server.process.wait(ANSWER_SECONDS) == 0
