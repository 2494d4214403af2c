"""``vision-builder``: what happens before the pod."""

import argparse
import os
import sys

from model_builder.commands import evaluate, export, inspect, quantize, train
from model_builder.errors import BuildError
from model_builder.progress import say
from model_server.errors import BundleError
from model_server.telemetry import disable_telemetry

COMMANDS = (train, export, quantize, evaluate, inspect)
"""In the order of ``--help``."""


def main(arguments: list[str] | None = None) -> int:
    """Run a command and return its exit status: 0, 1 for what went wrong, 2 for arguments that make no sense."""
    options = _parser().parse_args(arguments)
    disable_telemetry()
    try:
        _check_text(sys.argv[1:] if arguments is None else arguments)
        status: int = options.run(options)
    except (BuildError, BundleError) as error:
        say(f"vision-builder: {error}")
        return 1
    except ModuleNotFoundError as error:
        if error.name is None or error.name.startswith("model_"):
            raise
        say(
            f"vision-builder: the package {error.name} is not installed; this command needs what "
            "requirements/build.txt lists: in the project's folder, `make builder` installs that into .venv/build"
        )
        return 1
    except KeyboardInterrupt:
        say("vision-builder: interrupted; a bundle is there whole or as it was")
        return 130
    return status


def _check_text(arguments: list[str]) -> None:
    """Refuse what no manifest can hold: a folder's name may be any bytes.

    Raises:
        BuildError: an argument is not UTF-8.
    """
    for argument in arguments:
        try:
            argument.encode()
        except UnicodeEncodeError as error:
            raise BuildError(f"{os.fsencode(argument)!r} is not UTF-8; rename the file or folder") from error


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="vision-builder",
        description="Make model bundles for vision-server.",
        epilog="example: vision-builder train digits --output models/digits",
    )
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    for command in COMMANDS:
        command.add_command(commands)
    return parser


if __name__ == "__main__":
    sys.exit(main())
