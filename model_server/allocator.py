"""What the C library does with memory that is free: by default it keeps much of it, for each thread anew."""

import asyncio
import ctypes
import logging
import time
from collections.abc import Callable, Mapping
from typing import Any

logger = logging.getLogger(__name__)

MAPPED_BYTES = 4 << 20
"""Bodies and pixels of less are used again: a page that is mapped anew takes longer than to fill it.

What is larger goes back as soon as it is free, and grows without a copy.
"""
OPTIONS = {-8: 2, -3: MAPPED_BYTES, -1: 2 * MAPPED_BYTES}
"""malloc.h of the GNU C library: M_ARENA_MAX, and in bytes M_MMAP_THRESHOLD, M_TRIM_THRESHOLD.

The last is what may be free at the end of each heap before it is given back at once; ``malloc_trim`` leaves it to the
heaps of other threads than the main one.
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
        """Give back what is free, but for the last mebibytes of other threads.

        It takes 0.1 ms or less for each mebibyte, in which whoever needs memory waits, the event loop too.
        """
        trim = getattr(self._library, "malloc_trim", None)
        if trim is not None:
            trim(0)

    async def trim_regularly(self) -> None:
        """Trim every ten seconds, if a tenth of a second of CPU was used since the last time; for ever."""
        used = self._used()
        while True:
            await asyncio.sleep(TRIM_SECONDS)
            now = self._used()
            if now - used < BUSY_SECONDS:
                continue
            used = now
            try:
                await asyncio.to_thread(self.trim)
            except Exception:  # no thread to be had, for instance
                logger.exception("free memory was not given back; it will be tried again")
