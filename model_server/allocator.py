"""What the C library does with memory that is free: by default it keeps much of it, for each thread anew."""

import ctypes
from collections.abc import Mapping
from typing import Any

OPTIONS = {-8: 2, -3: 1 << 20, -1: 4 << 20}
"""malloc.h of the GNU C library: M_ARENA_MAX, and in bytes M_MMAP_THRESHOLD, M_TRIM_THRESHOLD.

What is larger than a mebibyte goes back as soon as it is free: bodies, and the pixels of large pictures.
"""
VARIABLES = ("MALLOC_", "GLIBC_TUNABLES", "LD_PRELOAD")


def give_back_memory(environ: Mapping[str, str], library: Any = None) -> None:
    """Have the C library keep little of what is free; to be called before there are threads.

    One that has no ``mallopt`` stays as it is, and so does what somebody chose by the environment.
    """
    if any(name.startswith(VARIABLES) for name in environ):
        return
    set_option = getattr(library or ctypes.CDLL(None), "mallopt", None)
    if set_option is not None:
        for option, value in OPTIONS.items():
            set_option(option, value)
