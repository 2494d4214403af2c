"""``python -m benchmarks NAME``: what is measured, one module each."""

import argparse
import os
import sys

from benchmarks import comparison, efficiency, framework, growth, overload, plot, soak
from benchmarks.arguments import add_common_arguments
from benchmarks.load_client import LoadError, check_client
from benchmarks.report import FiguresError, read_history, read_latest
from benchmarks.servers import ServerError
from benchmarks.soak import SoakError
from benchmarks.worker import WorkerError

MEASURING = (efficiency, comparison, overload, framework, growth, soak)
BENCHMARKS = {each.__name__.rpartition(".")[2]: each for each in (*MEASURING, plot)}


def main(arguments: list[str] | None = None) -> int:
    """Run a benchmark and return the exit status: 1 where it could not be measured or drawn, or found a fault."""
    options = build_parser().parse_args(arguments)
    module = BENCHMARKS[options.benchmark]
    try:
        if module in MEASURING:
            if options.cores:
                os.sched_setaffinity(0, options.cores)  # before anything is started, which inherits it
            read_latest(options.latest)  # or minutes would be measured in vain
            read_history(options.history)
            check_client()
        module.run(options)
    except (FiguresError, LoadError, ServerError, SoakError, WorkerError) as error:
        print(f"benchmarks {options.benchmark}: {error}", file=sys.stderr)
        return 1
    return 0


def build_parser() -> argparse.ArgumentParser:
    """Return what reads the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__, allow_abbrev=False)
    commands = parser.add_subparsers(dest="benchmark", required=True)
    for name, module in BENCHMARKS.items():
        text = module.__doc__ or ""
        command = commands.add_parser(name, description=text, help=text.splitlines()[0], allow_abbrev=False)
        if module in MEASURING:
            add_common_arguments(command)
        module.add_arguments(command)
    return parser


if __name__ == "__main__":
    sys.exit(main())
