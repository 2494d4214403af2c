"""``versions.env``: what comes from outside, pinned once."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from scripts.errors import StepError

ROOT = Path(__file__).parents[1]
PINS = ROOT / "versions.env"


@dataclass(frozen=True)
class Versions:
    """The pins, by their names in ``versions.env``; the environment's variables of the same names win."""

    pins: Mapping[str, str]
    environment: Mapping[str, str]

    def __getitem__(self, name: str) -> str:
        """Return a pin.

        Raises:
            StepError: ``versions.env`` has no such line.
        """
        if value := self.environment.get(name):
            return value
        if name not in self.pins:
            raise StepError(f"versions.env has no {name}", f"add a line {name}=…, or set it in the environment")
        return self.pins[name]


def read_versions(path: Path = PINS, environment: Mapping[str, str] = os.environ) -> Versions:
    """Read ``NAME=value`` lines; blank ones and those with a ``#`` first are left out.

    Raises:
        StepError: a line is something else.
    """
    pins = {}
    for number, line in enumerate(path.read_text().splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        name, equals, value = line.partition("=")
        if not equals or not name.isidentifier():
            raise StepError(f"{path.name}:{number} is not NAME=value: {line!r}", "mend that line")
        pins[name] = value.strip()
    return Versions(pins, environment)
