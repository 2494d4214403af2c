"""The CPU limit, read from trees that look like a container's."""

import os
from pathlib import Path

import pytest

from model_server.cpu_limit import cpu_limit


def write(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text + "\n")
    return root


@pytest.fixture(autouse=True)
def a_host_with_16_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(16)), raising=False)


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        pytest.param({}, 16, id="no cgroup"),
        pytest.param({"proc/self/cgroup": "0::/", "sys/fs/cgroup/cpu.max": "max 100000"}, 16, id="v2 without a limit"),
        pytest.param({"proc/self/cgroup": "0::/", "sys/fs/cgroup/cpu.max": "200000 100000"}, 2, id="v2"),
        pytest.param({"proc/self/cgroup": "0::/", "sys/fs/cgroup/cpu.max": "250000 100000"}, 2, id="v2 fraction"),
        pytest.param({"proc/self/cgroup": "0::/", "sys/fs/cgroup/cpu.max": "50000 100000"}, 1, id="v2 half a CPU"),
        pytest.param(
            {
                "proc/self/cgroup": "0::/pods/pod1/main",
                "sys/fs/cgroup/pods/pod1/main/cpu.max": "max 100000",
                "sys/fs/cgroup/pods/pod1/cpu.max": "300000 100000",
            },
            3,
            id="v2 set on a parent",
        ),
        pytest.param(
            {
                "proc/self/cgroup": "4:memory:/\n3:cpu,cpuacct:/",
                "sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us": "400000",
                "sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us": "100000",
            },
            4,
            id="v1",
        ),
        pytest.param(
            {
                "proc/self/cgroup": "3:cpu:/kubepods/pod1",
                "sys/fs/cgroup/cpu/kubepods/pod1/cpu.cfs_quota_us": "-1",
                "sys/fs/cgroup/cpu/kubepods/pod1/cpu.cfs_period_us": "100000",
                "sys/fs/cgroup/cpu/cpu.cfs_quota_us": "150000",
                "sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000",
            },
            1,
            id="v1 unlimited inside a limit",
        ),
    ],
)
def test_the_tightest_limit_counts(tmp_path: Path, files: dict[str, str], expected: int) -> None:
    assert cpu_limit(write(tmp_path, files)) == expected


def test_affinity_counts_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 5}, raising=False)
    assert cpu_limit(write(tmp_path, {"proc/self/cgroup": "0::/", "sys/fs/cgroup/cpu.max": "800000 100000"})) == 2
