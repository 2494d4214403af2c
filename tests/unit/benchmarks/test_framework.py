"""The framework alone answers what the digits are asked, with nothing."""

import re
import sys
from pathlib import Path

import httpx
import pytest

from benchmarks import servers
from benchmarks.framework import Measurement
from benchmarks.servers import running


def test_the_ratio_is_of_a_core() -> None:
    assert Measurement("v2", 8, served=1000.0, served_per_core=900.0, empty=3000.0, empty_per_core=1800.0).ratio == 0.5


def test_the_empty_server_reads_a_body_and_answers_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(servers, "LOGS", tmp_path)
    with running([sys.executable, "-m", "benchmarks.empty_server"], "empty", re.compile(r"Address +(\S+)")) as (
        _,
        found,
    ):
        for path in ("/v2/models/digits/infer", "/model/digits/predict?top_k=1"):
            answer = httpx.post(found[1] + path, content=b"x" * 100_000)
            assert (answer.status_code, answer.content) == (200, b"")
