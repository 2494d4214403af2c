"""Which options the C library is given, and when it is left alone."""

import ctypes
import subprocess
import sys

import pytest

from model_server.allocator import OPTIONS, give_back_memory

KEEPING = """
import sys
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
import psutil
from model_server.allocator import give_back_memory
if sys.argv[1] == "give back":
    give_back_memory({})
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
    print(psutil.Process().memory_info().rss)
"""


class Library:
    def __init__(self) -> None:
        self.options: dict[int, int] = {}

    def mallopt(self, option: int, value: int) -> int:
        self.options[option] = value
        return 1


def test_the_library_is_told() -> None:
    library = Library()
    give_back_memory({"PATH": "/bin"}, library)
    assert library.options == OPTIONS


@pytest.mark.parametrize("variable", ["MALLOC_ARENA_MAX", "GLIBC_TUNABLES", "LD_PRELOAD"])
def test_what_the_environment_says_wins(variable: str) -> None:
    library = Library()
    give_back_memory({variable: "1"}, library)
    assert not library.options


def test_a_library_without_options_stays_as_it_is() -> None:
    give_back_memory({}, object())


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "mallopt"), reason="the C library has no mallopt")
def test_what_threads_have_freed_goes_back() -> None:
    def keep(how: str) -> int:
        return int(subprocess.run([sys.executable, "-c", KEEPING, how], capture_output=True, check=True).stdout)

    assert keep("give back") < keep("keep") - (16 << 20)
