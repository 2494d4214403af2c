"""``vision-builder inspect``."""

import argparse
import json
import textwrap
from typing import TYPE_CHECKING

from model_builder.commands.arguments import add_bundle_argument

if TYPE_CHECKING:
    from model_builder.card import Card

WIDTH, INDENT = 110, 14


def add_command(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Register ``inspect``."""
    parser = commands.add_parser(
        "inspect",
        help="verify a bundle and say what it is",
        description="Verify a bundle as the server would, and say what it is, what it was measured at and which of its "
        "variants run here.",
        epilog="example: vision-builder inspect models/digits",
    )
    add_bundle_argument(parser)
    parser.add_argument("--json", action="store_true", help="print it as JSON, with everything that model.yaml says")
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    from model_builder.card import describe_bundle, write_card
    from model_server.bundle import read_bundle

    bundle = read_bundle(options.bundle)
    if options.json:
        print(json.dumps(describe_bundle(bundle), indent=2, ensure_ascii=False))
    else:
        _print_card(write_card(bundle))
    return 0


def _print_card(card: "Card") -> None:
    from model_builder.table import format_table

    for name, text in card.fields.items():
        lines = textwrap.wrap(text, WIDTH, initial_indent=f"{name:{INDENT}}", subsequent_indent=" " * INDENT)
        print("\n".join(lines))
    print(f"\n{format_table(card.variants, 3)}")
