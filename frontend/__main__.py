"""``vision-frontend`` and ``python -m frontend``."""

import signal
import sys
from collections.abc import Sequence

from frontend.errors import StartError
from frontend.service import address_of, open_listener, serve
from frontend.settings import parse_settings


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until a signal; return the exit status, 1 where the frontend could not start."""
    settings = parse_settings(arguments)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))  # until there is something to finish; PID 1 has no default
    try:
        with open_listener(settings.host, settings.port, "--port") as listener:
            serve(settings, listener, lambda: print(f"Page     {address_of(listener)}", flush=True))
    except StartError as error:
        print(f"vision-frontend: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
