"""A folder of fake programs, first on the PATH: they write down how they were called, and answer what a test says."""

import json
from dataclasses import dataclass
from pathlib import Path

FAKE = """#!{python}
import json, sys
from pathlib import Path
folder = Path({folder!r})
call = [Path(sys.argv[0]).name, *sys.argv[1:]]
with (folder / "calls").open("a") as file:
    file.write(json.dumps(call) + "\\n")
for words, answer, status in json.loads((folder / "answers").read_text()):
    if call[: len(words)] == words:
        (sys.stderr if status else sys.stdout).write(answer)
        sys.exit(status)
"""


@dataclass
class Programs:
    """The fakes. Whatever they were given no answer for succeeds and prints nothing."""

    folder: Path
    answers: list[tuple[list[str], str, int]]

    def answer(self, command: str, text: str, status: int = 0) -> None:
        """Answer calls that begin so; what is said last comes first."""
        self.answers.insert(0, (command.split(), text, status))
        (self.folder / "answers").write_text(json.dumps(self.answers))

    @property
    def calls(self) -> list[list[str]]:
        """Return every call, the first first."""
        path = self.folder / "calls"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    def called(self, *words: str) -> list[list[str]]:
        """Return the calls that begin with those words."""
        return [call for call in self.calls if call[: len(words)] == list(words)]
