"""Which options the C library is given, when it is left alone, and when it gives memory back."""

import asyncio
import contextlib
import ctypes
import itertools
import subprocess
import sys
import threading
from collections.abc import Callable

import pytest
from virtual_time import VirtualLoop

from model_server import allocator as module
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

USING_AGAIN = """
import resource
import sys
from model_server.allocator import Allocator
Allocator({}).configure()
def use():
    body, copy = bytearray(int(sys.argv[1])), bytearray(int(sys.argv[1]))
    del body, copy
for _ in range(5):
    use()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(20):
    use()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""
PAGE = 4096
needs_glibc = pytest.mark.skipif(
    not hasattr(ctypes.CDLL(None), "malloc_trim"), reason="the C library has no malloc_trim"
)


class Library:
    def __init__(self) -> None:
        self.options: dict[int, int] = {}
        self.trims = 0
        self.threads: set[threading.Thread] = set()

    def mallopt(self, option: int, value: int) -> int:
        self.options[option] = value
        return 1

    def malloc_trim(self, _: int) -> int:
        self.trims += 1
        self.threads.add(threading.current_thread())
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


def used_by(seconds: float) -> Callable[[], float]:
    """Return a clock of CPU that goes on by so much each time somebody looks."""
    return (looks * seconds for looks in itertools.count()).__next__


def test_memory_is_given_back_while_something_is_done() -> None:
    library = Library()
    run_for(4.5 * TRIM_SECONDS, Allocator({}, library, used=used_by(2 * BUSY_SECONDS)))
    assert library.trims == 4


def test_a_server_that_does_nothing_leaves_memory_alone() -> None:
    library = Library()
    run_for(8.5 * TRIM_SECONDS, Allocator({}, library, used=used_by(BUSY_SECONDS / 10)))
    assert not library.trims


def test_a_little_now_and_then_adds_up() -> None:
    library = Library()
    run_for(8.5 * TRIM_SECONDS, Allocator({}, library, used=used_by(0.6 * BUSY_SECONDS)))
    assert library.trims == 4


async def test_the_event_loop_goes_on_and_a_failure_is_no_end(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    class Failing(Library):
        def malloc_trim(self, pad: int) -> int:
            super().malloc_trim(pad)
            if self.trims == 1:
                raise RuntimeError("can't start new thread")
            return 1

    library = Failing()
    monkeypatch.setattr(module, "TRIM_SECONDS", 0.001)
    trimming = asyncio.create_task(Allocator({}, library, used=used_by(1.0)).trim_regularly())
    async with asyncio.timeout(10):
        while library.trims < 3:
            await asyncio.sleep(0.001)
    trimming.cancel()
    assert threading.current_thread() not in library.threads
    assert "can't start new thread" in caplog.text


@needs_glibc
def test_what_threads_have_freed_goes_back() -> None:
    def keep(how: str) -> int:
        return int(subprocess.run([sys.executable, "-c", KEEPING, how], capture_output=True, check=True).stdout)

    assert keep("give back") < keep("keep") - (16 << 20)


@needs_glibc
@pytest.mark.parametrize("size", [2_000_000, 3_500_000])
def test_what_is_free_is_used_again(size: int) -> None:
    """A page that is mapped anew is a fault."""
    command = [sys.executable, "-c", USING_AGAIN, str(size)]
    faults = int(subprocess.run(command, capture_output=True, check=True).stdout)
    assert faults < 20 * 2 * size / PAGE / 10
