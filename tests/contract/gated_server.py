"""The server, with engines that wait as long as a file exists: ``python gated_server.py FILE ARGUMENT…``.

A file `waiting` appears beside it once one does.
"""

import sys
import time
from pathlib import Path
from typing import Any

GATE = Path(sys.argv.pop(1))
sys.path.insert(0, str(Path(__file__).parents[2]))

from model_server import __main__ as server  # noqa: E402
from model_server.engine import load_engine  # noqa: E402


class GatedEngine:
    narrow = ()
    light = False

    def __init__(self, *arguments: Any) -> None:
        self._engine = load_engine(*arguments)

    def infer(self, rows: Any) -> Any:
        while GATE.exists():
            GATE.with_name("waiting").touch()
            time.sleep(0.005)
        return self._engine.infer(rows)


server.load_engine = GatedEngine

if __name__ == "__main__":
    sys.exit(server.main())
