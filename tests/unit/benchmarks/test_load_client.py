"""The load client counts what servers answer, whatever they answer."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from fake_servers import Heard, grpc_server, http_server

from benchmarks import decks
from benchmarks.decks import Deck, http_request, write_deck
from benchmarks.load_client import PROGRAM, Load, LoadError, send

pytestmark = pytest.mark.skipif(
    not PROGRAM.exists(), reason="no load client: `make .tools/bin/load` builds it, with Go"
)


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decks, "DECKS", tmp_path)


@pytest.fixture
def http() -> Iterator[tuple[str, Heard]]:
    with http_server() as found:
        yield found


@pytest.fixture
def grpc() -> Iterator[tuple[str, Heard]]:
    with grpc_server() as found:
        yield found


def deck_of(*paths: str) -> Deck:
    return write_deck("requests", [http_request(path, f"{number}".encode() * 100) for number, path in enumerate(paths)])


def send_some(deck: Deck, target: str, clients: int = 1, requests: int = 12) -> Load:
    """Send a few requests; the window would last longer."""
    return send(deck, target, seconds=30, clients=clients, requests=requests)


def test_a_closed_loop_sends_the_deck_in_turn_over_one_connection_a_client(http: tuple[str, Heard]) -> None:
    target, heard = http
    load = send_some(deck_of("/ok", "/ok", "/ok"), target, clients=2)
    assert load.statuses == {"200": 12}
    assert load.counted == {"ok": 12, "refused": 0, "other": 0}
    assert heard.connections == 2
    assert sorted(heard.bodies) == sorted([b"0" * 100, b"1" * 100, b"2" * 100] * 4)
    assert load.check() is load


def test_it_ends_when_its_time_is_over_and_the_warm_up_does_not_count(http: tuple[str, Heard]) -> None:
    load = send(deck_of("/ok"), http[0], seconds=0.3, warm_up=0.2, clients=2)
    assert 0 < load.counted["ok"] < load.requests
    assert 0 < load.seconds < 0.5


def test_latencies_rise_with_the_share_and_are_told_by_kind(http: tuple[str, Heard]) -> None:
    load = send_some(deck_of("/ok", "/refused"), http[0])
    assert load.latency.keys() == {"all", "ok", "refused"}
    times = [load.latency["all"][name] for name in ("p50", "p90", "p99", "p99.9", "max")]
    assert times == sorted(times)
    assert times[0] > 0


@pytest.mark.parametrize("path", ["/chunked", "/goodbye"])
def test_it_reads_whatever_http_has(http: tuple[str, Heard], path: str) -> None:
    target, heard = http
    load = send_some(deck_of(path), target)
    assert load.statuses == {"200": 12}
    assert (heard.connections > 11) == (path == "/goodbye")


def test_refusals_are_no_errors_and_errors_are_named(http: tuple[str, Heard]) -> None:
    refused = send_some(deck_of("/ok", "/refused"), http[0])
    assert refused.counted == {"ok": 6, "refused": 6, "other": 0}
    assert refused.refused_share == 0.5
    assert refused.check() is refused
    wrong = send_some(deck_of("/ok", "/wrong"), http[0])
    assert wrong.counted["other"] == 6
    with pytest.raises(LoadError, match=r"400.*no image"):
        wrong.check()


def test_nothing_but_refusals_is_an_error(http: tuple[str, Heard]) -> None:
    with pytest.raises(LoadError, match="503"):
        send_some(deck_of("/refused"), http[0]).check()


def test_an_answer_that_breaks_off_is_none_and_the_client_goes_on(http: tuple[str, Heard]) -> None:
    load = send_some(deck_of("/broken", "/ok"), http[0])
    assert load.statuses == {"unanswered": 6, "200": 6}
    assert any("EOF" in problem for problem in load.problems)


def test_an_open_loop_sends_at_its_rate_and_counts_what_is_good(http: tuple[str, Heard]) -> None:
    deck = deck_of("/ok", "/refused")
    load = send(deck, http[0], seconds=1, warm_up=0.2, rate=100, good_within_ms=60_000)
    assert (load.requests, sum(load.counted.values()), load.seconds) == (120, 100, 1)  # chance says when
    assert load.good == load.counted["ok"] == load.good_per_second
    assert send(deck, http[0], seconds=0.2, rate=100, good_within_ms=0).good == 0
    assert send(deck, http[0], seconds=30, rate=1000, requests=5).requests == 5


@pytest.mark.parametrize("size", [0, 200_000])
def test_grpc_counts_by_the_names_of_the_statuses(grpc: tuple[str, Heard], size: int) -> None:
    target, heard = grpc
    names = ("OK", "UNAVAILABLE", "RESOURCE_EXHAUSTED", "INVALID_ARGUMENT")
    deck = write_deck("calls", [name.ljust(20).encode() + b"x" * size for name in names], protocol="grpc")
    load = send_some(deck, target, clients=2)
    assert load.statuses == dict.fromkeys(names, 3)
    assert load.counted == {"ok": 3, "refused": 6, "other": 3}
    assert any("because" in problem for problem in load.problems)
    assert {len(body) for body in heard.bodies} == {20 + size}


@pytest.mark.parametrize("target", ["192.0.2.1:80", "localhost:80", "127.0.0.1", "127.0.0.1:http"])
def test_it_loads_nothing_but_this_machine(target: str) -> None:
    with pytest.raises(LoadError, match=r"127\.0\.0\.1:PORT|not a port"):
        send_some(deck_of("/ok"), target)


@pytest.mark.parametrize("protocol", ["http", "grpc"])
def test_nobody_there_is_an_error(protocol: decks.Protocol) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # and does not listen
        with pytest.raises(LoadError, match="refused"):
            send_some(write_deck("requests", [b"x"], protocol=protocol), f"127.0.0.1:{taken.getsockname()[1]}")


def test_a_deck_that_is_no_deck_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "cut").write_bytes(b"\x09\0\0\0abc")
    (tmp_path / "empty").write_bytes(b"")
    with pytest.raises(LoadError, match="ends within request 0"):
        send_some(Deck(tmp_path / "cut", "http"), "127.0.0.1:1")
    with pytest.raises(LoadError, match="no request"):
        send_some(Deck(tmp_path / "empty", "http"), "127.0.0.1:1")


def test_a_loop_is_open_or_closed() -> None:
    with pytest.raises(LoadError, match="either clients"):
        send(deck_of("/ok"), "127.0.0.1:1", seconds=1, clients=1, rate=1)


def test_a_client_that_is_not_built_says_how(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("benchmarks.load_client.PROGRAM", tmp_path / "none")
    with pytest.raises(LoadError, match=r"make \.tools/bin/load"):
        send_some(deck_of("/ok"), "127.0.0.1:1")
