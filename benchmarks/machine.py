"""What figures depend on: the machine, the versions, the commit."""

import os
import platform
import re
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import psutil

FLAGS = ("avx2", "avx512f", "avx512_vnni", "avx_vnni", "amx_int8", "amx_bf16")
MOST_BUSY = 0.3
LOOK_SECONDS = 0.5
PACKAGES = ("openvino", "kserve", "uvicorn", "starlette", "grpcio", "numpy", "pillow", "simplejpeg")


def describe_machine() -> dict[str, str]:
    """Return what a figure depends on, by name."""
    info = Path("/proc/cpuinfo").read_text() if Path("/proc/cpuinfo").exists() else ""
    name = re.search(r"model name\s*: (.*)", info)
    flags = set(info.partition("\nflags")[2].partition("\n")[0].split())
    return {
        "cpu": name[1] if name else platform.processor(),
        "cores": f"{len(os.sched_getaffinity(0))} of {os.cpu_count()}",
        "flags": " ".join(flag for flag in FLAGS if flag in flags),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        **{package: _version(package) for package in PACKAGES},
    }


def print_machine(*packages: str) -> None:
    """Say it, and the versions of more packages."""
    found = describe_machine()
    print(f"{found['cpu']}, {found['cores']} CPUs, with {found['flags']}; {found['system']}")
    shown = {"Python": found["python"], **{name: _version(name) for name in (*PACKAGES, *packages)}}
    print(", ".join(f"{name} {number}" for name, number in shown.items()))
    print("random weights: only speed means anything", flush=True)
    busy = _busy_cores()
    if busy > MOST_BUSY:
        print(f"others use {busy:.1f} of the cores: what is measured beside them means little", flush=True)


def read_commit() -> str:
    """Return the checkout's commit, with ``+`` where something was changed since; or ``unknown``."""
    try:
        commit, changes = (
            subprocess.run(["git", *arguments], capture_output=True, text=True, check=True).stdout.strip()
            for arguments in (["rev-parse", "--short=10", "HEAD"], ["status", "--porcelain", "--untracked-files=no"])
        )
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return commit + "+" * bool(changes)


def _busy_cores() -> float:
    """Return how many cores are used while this process waits."""
    return float(psutil.cpu_percent(LOOK_SECONDS)) / 100 * (psutil.cpu_count() or 1)


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "none"
