"""Work in a process of its own, which waits while it is asked for nothing."""

import contextlib
import multiprocessing
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection
from typing import Any

MOST_SECONDS = 600.0


class WorkerError(Exception):
    """The process ended, takes too long, or says with this error that it can't do what it was asked."""


class Worker:
    """The other end of an object that lives in another process."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def ask(self, method: str, *arguments: object) -> Any:
        """Call a method over there and return what it returned.

        Raises:
            WorkerError: the process ended, as what it printed tells, or does not answer; or the method raised it.
        """
        try:
            self._connection.send((method, *arguments))
            if not self._connection.poll(MOST_SECONDS):
                raise WorkerError(f"{method} did not end within {MOST_SECONDS:.0f} seconds")
            answer = self._connection.recv()
        except (EOFError, OSError) as error:
            raise WorkerError(f"{method} was not answered: the process ended") from error
        if isinstance(answer, WorkerError):
            raise answer
        return answer


@contextlib.contextmanager
def running_worker(make: Callable[..., object], *arguments: object) -> Iterator[Worker]:
    """Make an object in a new process, which ends with the context."""
    context = multiprocessing.get_context("spawn")  # the threads of an engine would not live through a fork
    ours, theirs = context.Pipe()
    process = context.Process(target=_work, args=(theirs, make, *arguments), daemon=True)
    process.start()
    theirs.close()
    try:
        yield Worker(ours)
    finally:
        ours.close()
        process.join()


def _work(connection: Connection, make: Callable[..., object], *arguments: object) -> None:
    made = make(*arguments)
    with contextlib.suppress(EOFError, KeyboardInterrupt):
        while True:
            method, *rest = connection.recv()
            try:
                answer = getattr(made, method)(*rest)
            except WorkerError as error:
                answer = error
            connection.send(answer)
