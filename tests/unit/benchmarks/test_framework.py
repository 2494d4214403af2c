"""The framework alone answers what the digits are asked, with nothing."""

import re
import sys
from pathlib import Path

import httpx
import pytest

from benchmarks import servers
from benchmarks.framework import compare
from benchmarks.median import take_median
from benchmarks.servers import running


def test_the_ratio_is_of_a_core_and_of_one_round() -> None:
    cores = [(900.0, 1800.0), (800.0, 3200.0), (700.0, 1000.0)]
    rounds = [compare("v2", 8, (1000.0, served), (3000.0, empty)) for served, empty in cores]
    assert [each.ratio for each in rounds] == [0.5, 0.25, 0.7]
    median = take_median(rounds)
    assert (median.ratio, median.served_per_core, median.empty_per_core) == (0.5, 800.0, 1800.0)


def test_the_empty_server_reads_a_body_and_answers_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(servers, "LOGS", tmp_path)
    with running([sys.executable, "-m", "benchmarks.empty_server"], "empty", re.compile(r"Address +(\S+)")) as (
        _,
        found,
    ):
        for path in ("/v2/models/digits/infer", "/model/digits/predict?top_k=1"):
            answer = httpx.post(found[1] + path, content=b"x" * 100_000)
            assert (answer.status_code, answer.content) == (200, b"")
