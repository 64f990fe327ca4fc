"""manage.py load_products FILE | --generate N"""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from shop.catalogue.reading import BadCatalogue, read_catalogue
from shop.services import EmptyShop, SlugTaken, generate_catalogue, load_catalogue


class Command(BaseCommand):
    """Brings products into the shop."""

    help = "Put in the products of a catalogue file, or make some up for load tests."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take a file, or a number."""
        source = parser.add_mutually_exclusive_group(required=True)
        source.add_argument("file", nargs="?", type=Path, help="a catalogue, as foxglove.toml")
        source.add_argument("--generate", type=int, metavar="N", help="make up N further products")

    def handle(self, *_args: Any, file: Path | None, generate: int | None, **_options: Any) -> None:
        """Load the file, or make products up."""
        try:
            added = _load(file=file) if file else generate_catalogue(count=generate or 0)
        except (BadCatalogue, SlugTaken, EmptyShop) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"{added} products put in.")


def _load(*, file: Path) -> int:
    return load_catalogue(catalogue=read_catalogue(path=file))
