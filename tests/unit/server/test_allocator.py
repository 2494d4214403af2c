"""Which options the C library is given, when it is left alone, and when it gives memory back."""

import asyncio
import contextlib
import ctypes
import subprocess
import sys

import pytest
from virtual_time import VirtualLoop

from model_server.allocator import BUSY_SECONDS, OPTIONS, TRIM_SECONDS, Allocator

KEEPING = """
import sys
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
import psutil
from model_server.allocator import Allocator
allocator = Allocator({})
if sys.argv[1] == "give back":
    allocator.configure()
barrier = Barrier(8)
kept = []
def work(_):
    pieces = []
    for _ in range(8):
        pieces.append(bytearray(1_500_000))
        pieces[-1][::4096] = b"x" * len(pieces[-1][::4096])
        kept.append(bytearray(3000))  # what lies behind it stays
    barrier.wait()
    del pieces
    barrier.wait()
with ThreadPoolExecutor(8) as pool:
    for _ in range(3):
        list(pool.map(work, range(8)))
    if sys.argv[1] == "give back":
        allocator.trim()
    print(psutil.Process().memory_info().rss)
"""


class Library:
    def __init__(self) -> None:
        self.options: dict[int, int] = {}
        self.trims = 0

    def mallopt(self, option: int, value: int) -> int:
        self.options[option] = value
        return 1

    def malloc_trim(self, _: int) -> int:
        self.trims += 1
        return 1


def run_for(seconds: float, allocator: Allocator) -> None:
    loop = VirtualLoop()
    with contextlib.closing(loop), contextlib.suppress(TimeoutError):
        loop.run_until_complete(asyncio.wait_for(allocator.trim_regularly(), seconds))


def test_the_library_is_told() -> None:
    library = Library()
    Allocator({"PATH": "/bin"}, library).configure()
    assert library.options == OPTIONS


@pytest.mark.parametrize("variable", ["MALLOC_ARENA_MAX", "GLIBC_TUNABLES", "LD_PRELOAD"])
def test_what_the_environment_says_wins(variable: str) -> None:
    library = Library()
    allocator = Allocator({variable: "1"}, library)
    allocator.configure()
    allocator.trim()
    assert not library.options
    assert not library.trims


def test_a_library_without_such_functions_stays_as_it_is() -> None:
    allocator = Allocator({}, object())
    allocator.configure()
    allocator.trim()


def test_memory_is_given_back_while_something_is_done() -> None:
    library, used = Library(), iter(range(100))
    run_for(4.5 * TRIM_SECONDS, Allocator({}, library, used=lambda: next(used) * 2 * BUSY_SECONDS))
    assert library.trims == 4


def test_a_server_that_does_nothing_leaves_memory_alone() -> None:
    library, used = Library(), iter(range(100))
    run_for(4.5 * TRIM_SECONDS, Allocator({}, library, used=lambda: next(used) * BUSY_SECONDS / 3))
    assert not library.trims


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "malloc_trim"), reason="the C library has no malloc_trim")
def test_what_threads_have_freed_goes_back() -> None:
    def keep(how: str) -> int:
        return int(subprocess.run([sys.executable, "-c", KEEPING, how], capture_output=True, check=True).stdout)

    assert keep("give back") < keep("keep") - (16 << 20)
