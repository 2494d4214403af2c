"""What the C library does with memory that is free: by default it keeps much of it, for each thread anew."""

import asyncio
import ctypes
import time
from collections.abc import Callable, Mapping
from typing import Any

OPTIONS = {-8: 2, -3: 8 << 20, -1: 8 << 20}
"""malloc.h of the GNU C library: M_ARENA_MAX, and in bytes M_MMAP_THRESHOLD, M_TRIM_THRESHOLD.

Bodies and pixels below eight mebibytes are used again: a page that is mapped anew takes longer than to fill it.
"""
VARIABLES = ("MALLOC_", "GLIBC_TUNABLES", "LD_PRELOAD")
TRIM_SECONDS, BUSY_SECONDS = 10.0, 0.1


class Allocator:
    """The C library's, told to keep little, and to give back what it keeps now and then.

    One that has no such functions stays as it is, and so does what somebody chose by the environment.

    Args:
        environ: where somebody may have chosen.
        library: the C library; this process's where it is None.
        used: the seconds of CPU that the process has used.
    """

    def __init__(
        self, environ: Mapping[str, str], library: Any = None, used: Callable[[], float] = time.process_time
    ) -> None:
        chosen = any(name.startswith(VARIABLES) for name in environ)
        self._library = None if chosen else library or ctypes.CDLL(None)
        self._used = used

    def configure(self) -> None:
        """Have it keep little for each thread; to be called before there are any."""
        set_option = getattr(self._library, "mallopt", None)
        if set_option is not None:
            for option, value in OPTIONS.items():
                set_option(option, value)

    def trim(self) -> None:
        """Give back what is free, wherever it lies; a millisecond, or ten where eight clients have sent photographs."""
        trim = getattr(self._library, "malloc_trim", None)
        if trim is not None:
            trim(0)

    async def trim_regularly(self) -> None:
        """Trim every ten seconds in which something was done, for ever."""
        while True:
            used = self._used()
            await asyncio.sleep(TRIM_SECONDS)
            if self._used() - used >= BUSY_SECONDS:
                await asyncio.to_thread(self.trim)
