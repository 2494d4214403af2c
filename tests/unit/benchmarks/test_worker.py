"""Work in a process of its own is asked for, and waited for."""

import os

import pytest

from benchmarks.worker import WorkerError, running_worker


class Counter:
    """What lives over there."""

    def __init__(self, begin: int) -> None:
        self.count = begin

    def add(self, number: int) -> int:
        self.count += number
        return self.count

    def process(self) -> int:
        return os.getpid()

    def refuse(self) -> None:
        raise WorkerError("it takes longer")

    def end(self) -> None:
        os._exit(3)


def test_it_keeps_what_it_has_in_another_process() -> None:
    with running_worker(Counter, 3) as worker:
        assert worker.ask("add", 2) == 5
        assert worker.ask("add", 2) == 7
        assert worker.ask("process") != os.getpid()


def test_what_cannot_be_done_is_said_and_the_process_goes_on() -> None:
    with running_worker(Counter, 3) as worker:
        with pytest.raises(WorkerError, match="it takes longer"):
            worker.ask("refuse")
        assert worker.ask("add", 2) == 5


def test_a_process_that_ends_is_an_error() -> None:
    with running_worker(Counter, 3) as worker, pytest.raises(WorkerError, match="end was not answered"):
        worker.ask("end")
