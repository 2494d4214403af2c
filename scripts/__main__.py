"""``python -m scripts NAME``: what each executable of this folder calls."""

import argparse
import sys

from scripts.commands import (
    build_images,
    cluster,
    cluster_down,
    cluster_up,
    deploy,
    install_platform,
    load_images,
    smoke,
)
from scripts.console import complain
from scripts.errors import StepError

COMMANDS = {
    each.__name__.rpartition(".")[2].replace("_", "-"): each
    for each in (cluster, cluster_up, install_platform, build_images, load_images, deploy, smoke, cluster_down)
}


def main(name: str, arguments: list[str]) -> int:
    """Run a script and return its exit status: 0, or 1 with what to try next."""
    if name not in COMMANDS:
        complain(f"scripts/{name} is none of the scripts; there are: {', '.join(COMMANDS)}")
        return 2
    command = COMMANDS[name]
    parser = argparse.ArgumentParser(
        prog=f"scripts/{name}",
        description=command.__doc__,
        allow_abbrev=False,
        conflict_handler="resolve",  # several steps of scripts/cluster have the same option
    )
    command.add_arguments(parser)
    options = parser.parse_args(arguments)
    try:
        command.run(options)
    except StepError as error:
        complain(f"scripts/{name}: {error}\n  next: {error.next_step}")
        return 1
    except KeyboardInterrupt:
        complain(f"scripts/{name}: interrupted; run it again, it goes on from there")
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
