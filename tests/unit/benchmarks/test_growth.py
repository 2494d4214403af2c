"""What a server costs follows from the cores that it reserves."""

import pytest

from benchmarks.growth import Cost, Setting


def test_a_million_images_cost_their_core_seconds() -> None:
    cost = Cost(
        Setting(models=4, classes=1000, cores=2, memory_loaded=300.0),
        clients=32,
        memory_after=320.0,
        memory_peak=None,
        images_per_second=100.0,
        p50_ms=300.0,
        p99_ms=400.0,
        refused_share=0.0,
        cpu_ms=16.0,
    )
    assert cost.core_seconds == 20.0
    assert cost.price(0.36) == pytest.approx(2.0)  # 20,000 core-seconds are 5.56 hours
    assert cost.name == "4 x 1000 on 2 CPUs, 32 clients"
