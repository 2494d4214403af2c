"""How many CPUs this process may use: its container's limit, not the host's cores."""

import math
import os
from pathlib import Path


def _read(path: Path) -> str | None:
    try:
        return path.read_text().strip()
    except OSError:
        return None


def _groups(process: Path) -> dict[str, str]:
    """Map each controller to this process's group; version 2 has one group, under the empty name."""
    groups = {}
    for line in (_read(process) or "").splitlines():
        _, controllers, group = line.split(":", 2)
        for controller in controllers.split(","):
            groups[controller] = group
    return groups


def _ancestry(mount: Path, group: str) -> list[Path]:
    """List the group's folder and those above it: a limit set on any of them holds."""
    folder = mount / group.lstrip("/")
    return [folder, *(p for p in folder.parents if p.is_relative_to(mount))]


def _quota_v2(folder: Path) -> float | None:
    fields = (_read(folder / "cpu.max") or "max").split()
    return None if fields[0] == "max" else int(fields[0]) / int(fields[1])


def _quota_v1(folder: Path) -> float | None:
    quota, period = _read(folder / "cpu.cfs_quota_us"), _read(folder / "cpu.cfs_period_us")
    if quota is None or period is None or int(quota) <= 0:
        return None
    return int(quota) / int(period)


def cpu_limit(root: Path = Path("/")) -> int:
    """Return the number of CPUs that can be kept busy without being throttled, at least 1.

    A limit of 2.5 CPUs gives 2: threads of an inference engine wait for each other, so a third that is throttled
    half of the time would hold up the other two; what is left over serves HTTP and decoding.

    Reads cgroup v2 (``cpu.max``) and v1 (``cpu.cfs_quota_us`` over ``cpu.cfs_period_us``) under ``root``; see
    https://docs.kernel.org/admin-guide/cgroup-v2.html and https://docs.kernel.org/scheduler/sched-bwc.html.
    """
    cgroup = root / "sys/fs/cgroup"
    groups = _groups(root / "proc/self/cgroup")
    quotas = [_quota_v2(folder) for folder in _ancestry(cgroup, groups.get("", "/"))]
    for mount in (cgroup / "cpu", cgroup / "cpu,cpuacct"):
        quotas += [_quota_v1(folder) for folder in _ancestry(mount, groups.get("cpu", "/"))]
    available = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min([available, *(math.floor(quota) for quota in quotas if quota is not None)]))
